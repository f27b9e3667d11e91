"""Pure text work: extract, normalise, chunk."""

"""Learning from disagreement: the log, and the triples that follow from it."""

"""Pure search over arrays: query analysis, fusion, explanation."""

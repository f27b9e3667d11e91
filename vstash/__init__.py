"""vstash: local-first hybrid retrieval memory for LLM agents, in one SQLite file."""

__version__ = "1.0.0a1"

"""Everything that the retrieval quality of vstash is judged by."""

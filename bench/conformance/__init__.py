"""Whether the REST API is what its description says."""

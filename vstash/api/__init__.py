"""The REST API: a thin skin over Memory."""

"""Load on the REST service."""

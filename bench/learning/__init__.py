"""What learning costs and gains."""

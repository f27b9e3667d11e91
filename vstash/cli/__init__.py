"""The vstash command: a thin skin over Memory."""

"""Where the parts meet under Memory: writing, ingesting, searching."""

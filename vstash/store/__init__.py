"""The SQLite file: the only folder that imports apsw."""

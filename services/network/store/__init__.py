"""The database of this context."""

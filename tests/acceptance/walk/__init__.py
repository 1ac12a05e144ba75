"""A walk through every operation, and what is written down on the way."""

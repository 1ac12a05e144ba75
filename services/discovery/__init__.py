"""Compares what is allocated with what is there, and gives back what nobody has any more."""

"""Runs every service on this machine, for a first look, for tests and for small installations."""

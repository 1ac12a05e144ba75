"""Use cases about public ranges and ASNs that accounts bring along."""

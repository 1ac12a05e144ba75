"""Public ranges and ASNs that accounts bring along: the rules."""

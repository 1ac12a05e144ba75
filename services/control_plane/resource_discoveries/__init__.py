"""Resource discoveries: from which accounts and regions IPAMs discover resources (DISC-1)."""

"""One place to read every service's figures. Keeps nothing."""

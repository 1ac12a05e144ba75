"""Routes that are announced in the internet, and what tells of them; without any I/O."""

"""What ``service`` asks for, in SQL."""

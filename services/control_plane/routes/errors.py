"""What is no feed of routes."""


class NoRouteFeed(ValueError):
    """A content that tells no routes; the message says where it goes wrong, and why."""

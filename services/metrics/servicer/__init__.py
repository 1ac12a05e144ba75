"""Messages to use cases and back."""

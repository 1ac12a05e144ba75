"""The edge: messages to use cases and back."""

"""A web interface for what the guide does in its console (ACC-2)."""

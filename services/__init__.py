"""One package per bounded context; none imports another."""

"""One way to serve gRPC and one way to call it."""

"""The HTTP edge: unmodified AWS clients on one side, the gRPC contracts on the other."""

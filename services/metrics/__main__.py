"""Serve this context until told to stop."""

from services.metrics.server import metrics
from shared.rpc.server import main

if __name__ == "__main__":
    main("metrics", metrics)

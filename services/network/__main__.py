"""Serve this context until told to stop."""

from services.network.server import network
from shared.rpc.server import main

if __name__ == "__main__":
    main("network", network)

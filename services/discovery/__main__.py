"""Serve this context until told to stop."""

from services.discovery.server import discovery
from shared.rpc.server import main

if __name__ == "__main__":
    main("discovery", discovery)

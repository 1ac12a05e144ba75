"""Serve this context until told to stop."""

from services.allocation.server import allocation
from shared.rpc.server import main

if __name__ == "__main__":
    main("allocation", allocation)

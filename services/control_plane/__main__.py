"""Serve this context until told to stop."""

from services.control_plane.server import control_plane
from shared.rpc.server import main

if __name__ == "__main__":
    main("control_plane", control_plane)

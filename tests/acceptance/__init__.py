"""The whole system, driven from outside with unmodified AWS clients."""

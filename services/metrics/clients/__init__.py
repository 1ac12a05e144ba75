"""The services that figures are read of, and whose metrics are gathered."""

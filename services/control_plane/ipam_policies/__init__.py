"""IPAM policies: out of which pools resources get public addresses when they name none."""

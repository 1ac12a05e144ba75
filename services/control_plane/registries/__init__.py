"""Clients of what tells of address space: RDAP, the DNS, and an RPKI validator's export."""

"""Prefix list resolvers: which CIDRs their rules select, and what becomes of these."""

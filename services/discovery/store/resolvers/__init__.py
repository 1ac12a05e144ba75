"""Prefix list resolvers in SQL."""

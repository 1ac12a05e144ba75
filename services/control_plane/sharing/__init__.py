"""Sharing pools and resource discoveries with other accounts (ORG-4, ORG-5)."""

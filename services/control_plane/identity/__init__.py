"""Principals of accounts: users with access keys and policies, and roles of services (ORG-10)."""

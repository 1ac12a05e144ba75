"""What can be done to an organization, and what can be learned about one (ORG-1, ORG-2, ORG-6)."""

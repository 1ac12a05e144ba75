"""AWS's policy language: documents, their conditions, and what they allow (ORG-6)."""

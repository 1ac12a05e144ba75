"""Organizations: accounts under one management account, in a tree of OUs (ORG-1)."""

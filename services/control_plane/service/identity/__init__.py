"""What can be done to users, their keys and policies, and service-linked roles."""

"""Rules of associations with internet registries, and of routing policy registrations."""

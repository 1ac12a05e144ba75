"""What the caller's organization lets it do (ORG-6), decided before any context is called."""

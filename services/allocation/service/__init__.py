"""What can be asked of the ledger."""

"""What a check of the ledger reads and repairs, in SQL."""

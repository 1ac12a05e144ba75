"""What can be done here, and what that needs of the database and of the ledger."""

"""The ledger: which addresses of each pool are taken, by what, and what is left."""

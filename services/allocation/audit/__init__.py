"""Whether the ledger's records agree with each other, judged from the records alone (BEY-10)."""

"""Use cases: each takes the rows of one transaction, decides, saves, and names the next step.

Whoever runs a use case opens the transaction, writes the step it names in that same transaction,
and commits (``store/commands.py``).
"""

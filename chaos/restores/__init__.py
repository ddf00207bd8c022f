"""Restores: the ledger's files are put back to an earlier time, and what was sent since must not be billed again."""

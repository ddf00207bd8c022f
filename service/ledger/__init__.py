"""The ledger: the truth about every row, meter event, attempt and event, in PostgreSQL.

Each module of this folder speaks of one noun; each function runs the one file of `service/sql/` that has its name, in a
transaction that the caller opens. No transaction is open during a network call: claim (commit) → call → close (commit).
"""

from service.ledger.connection import Ledger, LedgerUnavailable, Transaction

__all__ = ["Ledger", "LedgerUnavailable", "Transaction"]

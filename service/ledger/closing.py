"""What a draft invoice asks of the ledger: its usage now, before others'."""

from collections.abc import Collection
from dataclasses import dataclass

from service.ledger.connection import Transaction, execute, fetch


@dataclass(frozen=True, slots=True)
class _Customer:
    customer: str


def expedite(tx: Transaction, account: str, *, invoices: Collection[str]) -> None:
    """Ring for what these drafts bill and is not sealed, and put their lanes first in line until they close."""
    if not invoices:
        return
    found = fetch(tx, _Customer, "customers_billed", account=account, invoices=sorted(invoices))
    if found:
        customers = [row.customer for row in found]
        execute(tx, "lock_billed_lanes", account=account, customers=customers)
        execute(tx, "ring_closing", account=account, invoices=sorted(invoices))
        execute(tx, "put_lanes_first", account=account, customers=customers)

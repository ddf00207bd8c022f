"""What a draft invoice asks of the ledger: its usage now, before others'."""

from collections.abc import Collection
from dataclasses import dataclass

from service.ledger.connection import Transaction, execute, fetch


@dataclass(frozen=True, slots=True)
class _Customer:
    customer: str


def customers_billed(tx: Transaction, account: str, *, invoices: Collection[str]) -> set[str]:
    """Of those of these invoices that are of a period that ended."""
    if not invoices:
        return set()
    found = fetch(tx, _Customer, "customers_billed", account=account, invoices=sorted(invoices))
    return {row.customer for row in found}


def expedite(tx: Transaction, account: str, *, invoices: Collection[str], customers: Collection[str]) -> None:
    """Ring for what these drafts bill and is not sealed, and put their lanes first in line until they close.

    After `lock_billed_lanes` of their customers.
    """
    if customers:
        execute(tx, "ring_closing", account=account, invoices=sorted(invoices))
        execute(tx, "put_lanes_first", account=account, customers=sorted(customers))

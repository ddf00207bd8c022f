"""What is kept of a customer from one invoice to the next: how many were numbered, and the credit left over.

Credits beyond the charges of an invoice, as from unused time, are not lost: the next invoices of that currency take
them off.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from sandbox.books import Books


@dataclass(slots=True)
class Tally:
    numbered: int = 0
    currency: str | None = None
    """Of the first invoice: the customer's from then on."""
    is_delinquent: bool = False
    """Whether the last that happened to one of their invoices was a failed payment."""
    balances: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By currency, in minor units; negative is what the customer has to their credit."""

    @property
    def balance(self) -> int:
        """In the customer's own currency."""
        return 0 if self.currency is None else self.balances[self.currency]

    def next_number(self, prefix: str) -> str:
        self.numbered += 1
        return f"{prefix}-{self.numbered:04}"


def tally_of(books: Books, customer: str) -> Tally:
    """What is kept of the customer; of one without invoices the beginning."""
    return books.shelf(Tally).setdefault(customer, Tally())

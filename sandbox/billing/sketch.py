"""A sketch of an account's books, in which something may happen that nobody keeps or hears of: for previews of changes.

It shares what no change of a subscription touches, above all the usage; its clock stands still and has no agenda.
"""

from copy import deepcopy
from dataclasses import replace

from sandbox.billing.invoice_tally import Tally, tally_of
from sandbox.books import Books
from sandbox.clock import Clock


def sketched(books: Books, *, customer: str) -> Books:
    """The books as they are, to change what is of one customer in."""
    sketch = replace(
        books.with_shelves_copied(),
        clock=Clock(begins_at=books.now, speed=0),
        ids=deepcopy(books.ids),
        announce=_unheard,
    )
    sketch.shelf(Tally)[customer] = deepcopy(tally_of(books, customer))
    return sketch


def _unheard(_: Books, __: str) -> None:
    """Nobody hears of what did not happen."""

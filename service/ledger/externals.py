"""What Stripe counts and a restored ledger did not know, on its way into meter events that are not sent.

`draft_externals(tx, *, reach)` and `hold_externals(tx, *, timing)` are parts of sealing, under the lanes' locks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.ledger.connection import Transaction, execute, fetch
from service.matching import select
from service.timing import Timing

ENTRIES_MAX = 10_000  # of a bucket or an hour; more stand on the desk with what they wait for
CELLS_MAX = 100  # of a pass, each a fraction of a second under locks


@dataclass(frozen=True, slots=True)
class Cell:
    """A bucket or an hour of a lane in which Stripe counts `value` more than is known, and its unsealed entries."""

    lane_id: int
    start: datetime
    minute: datetime
    value: Decimal
    is_counting: bool
    entry_ids: list[int]
    values: list[Decimal]


def draft_externals(tx: Transaction, *, reach: timedelta) -> None:
    """Entries that add up to what was found in their bucket, or in their hour, are not sent: Stripe has them."""
    for cell in fetch(tx, Cell, "external_cells", reach=reach, entries_max=ENTRIES_MAX, cells_max=CELLS_MAX):
        if (places := select(cell.values, cell.value)) is not None:
            entry_ids = [cell.entry_ids[place] for place in places]
            where = {"start": cell.start, "reach": reach, "minute": cell.minute}
            execute(tx, "draft_external", entry_ids=entry_ids, is_counting=cell.is_counting, **where)


def hold_externals(tx: Transaction, *, timing: Timing) -> None:
    """What may have been sent before the restore waits while something of its hour is not explained."""
    execute(tx, "hold_externals", wait=timedelta(seconds=timing.unread_wait_s))

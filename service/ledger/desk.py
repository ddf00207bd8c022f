"""The desk: one view of everything that needs a person, whatever its kind, and one filter for all who look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from service.ledger.connection import Transaction, fetch, fetch_one
from service.letters import LetterId

PAGE = 100  # letters read at once by who wants them all

CLASSES = {
    "refused": "Stripe will not take the meter event, or make the subscription; nothing of it can have counted",
    "held": "whether the meter event counts, or the subscription was made, is for Stripe's books to say; it may",
    "conflict": "Stripe's books contradict ours about the meter event, or have several subscriptions of one row",
    "blocked": "another subscription bills the same usage, or is about to; this one was not made",
    "quarantined": "the row could not be read; it never counted",
    "row_conflict": "the row was told again with other content; the first content counts",
    "failed": "Stripe's event could not be applied",
    "external": "Stripe counts it, and the restored ledger has no rows that explain it; its hour waits for them",
}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One thing that needs a person. Of what could not be read, nobody knows the customer, meter or value."""

    letter: str
    class_: str
    reason: str
    since: datetime
    account: str | None
    customer: str | None
    meter: str | None
    value: Decimal | None
    rows: int


@dataclass(frozen=True, slots=True)
class Total:
    """How much of one class a filter finds."""

    class_: str
    letters: int
    rows: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A filter; None: any."""

    class_: str | None = None
    customer: str | None = None
    meter: str | None = None
    reason: str | None = None  # a part of it, in capitals or not
    not_before: datetime | None = None  # on the desk since then, or later

    def parameters(self) -> dict[str, object]:
        return {
            "of_class": self.class_,
            "customer": self.customer,
            "meter": self.meter,
            "reason": self.reason,
            "not_before": self.not_before,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page ended: the next one begins behind it, whatever has left the desk meanwhile."""

    since: datetime
    letter: str


def dead_letters(
    tx: Transaction, wanted: Wanted, *, after: Place | None = None, letters_max: int = PAGE
) -> list[DeadLetter]:
    """A page of them, the longest waiting first."""
    return fetch(
        tx,
        DeadLetter,
        "dead_letters",
        **wanted.parameters(),
        after_since=after and after.since,
        after_letter=after and after.letter,
        letters_max=letters_max,
    )


def every_dead_letter(tx: Transaction, wanted: Wanted, *, until: datetime) -> Iterator[DeadLetter]:
    """Page after page, of those on the desk at `until`: what comes to it meanwhile is not waited for."""
    after: Place | None = None
    while page := dead_letters(tx, wanted, after=after):
        for one in page:
            if one.since > until:
                return
            yield one
        after = Place(since=page[-1].since, letter=page[-1].letter)


def dead_totals(tx: Transaction, wanted: Wanted) -> list[Total]:
    return fetch(tx, Total, "dead_totals", **wanted.parameters())


def dead_letter(tx: Transaction, letter: LetterId) -> DeadLetter | None:
    """None: it does not stand on the desk (any more)."""
    return fetch_one(tx, DeadLetter, "dead_letter", letter=str(letter))

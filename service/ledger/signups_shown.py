"""What the ledger knows of subscriptions that are to be made, for whoever looks: it reads, and changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.ledger.connection import Transaction, fetch

PAGE_SIGNUPS = 500  # read at once where all are asked for
SAME_ID_MAX = 20  # several sources may use one row id
LISTINGS_MAX = 50
ATTEMPTS_MAX = 200
UNPAID_SHOWN_MAX = 5  # by their ids
LATELY = timedelta(days=7)
CORRECTABLE = ("refused", "blocked")  # that a corrected row may replace


@dataclass(frozen=True, slots=True)
class StateCount:
    state: str
    signups: int


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """What a row is known by, and what it says."""

    source: str
    row_id: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that came through the door. `state` None: it is no subscription, or in quarantine.

    `is_alike` False: its id was told before with other content, which counts.
    """

    source: str
    row_id: str
    import_name: str | None
    state: str | None
    is_alike: bool
    is_quarantined: bool


@dataclass(frozen=True, slots=True)
class SignupImport:
    """One file: `waiting` for no person, `dead` for one. `unpaid` are made, and not among the `created`."""

    import_name: str
    recorded_at: datetime
    signups: int
    created: int
    unpaid: int
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class Unpaid:
    """Made, and their first invoice is not paid. `status` is Stripe's word; the ids are the first of them."""

    status: str
    signups: int
    signup_ids: list[int]


@dataclass(frozen=True, slots=True)
class ListedSignup:
    """`status` is what Stripe last told of its subscription; None: nothing yet."""

    signup_id: int
    source: str
    row_id: str
    import_name: str | None
    customer: str
    price: str
    state: str
    reason: str | None
    subscription: str | None
    status: str | None
    recorded_at: datetime
    due_at: datetime | None
    is_discarded: bool


@dataclass(frozen=True, slots=True)
class ShownSignup:
    """All of one. `status` is what Stripe last told of its subscription; None: nothing yet."""

    signup_id: int
    account: str
    source: str
    row_id: str
    import_name: str | None
    customer: str
    price: str
    said: dict[str, Any]
    identifier: str
    state: str
    reason: str | None
    due_at: datetime | None
    meter_stripe_id: str | None
    key_number: int
    creation: dict[str, Any] | None
    subscription: str | None
    stands_since: datetime
    recorded_at: datetime
    replaces: str | None
    replaced_by: str | None
    status: str | None
    status_as_of: datetime | None
    is_discarded: bool

    @property
    def is_too_late(self) -> bool:
        """It waits for a person because the row that it corrects was not to be replaced (as `dead_signup` tells)."""
        return self.state == "blocked" and self.replaces is None and "replaces" in self.said


@dataclass(frozen=True, slots=True)
class ToldStep:
    step: str
    about: str
    found: str
    done_at: datetime


@dataclass(frozen=True, slots=True)
class ToldListing:
    signup_listing_id: int
    read_at: datetime
    key_number: int
    verdict: str
    subscriptions: list[str]
    ended: list[str]


@dataclass(frozen=True, slots=True)
class ToldAttempt:
    signup_attempt_id: int
    step: str
    about: str
    idempotency_key: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    status: int | None
    code: str | None
    detail: str | None
    request_id: str | None
    is_replayed: bool


@dataclass(frozen=True, slots=True)
class RejectedSignup:
    """One that a person may correct; from `step` on as Stripe refused it last, None where it was not Stripe."""

    signup_id: int
    source: str
    row_id: str
    import_name: str | None
    customer: str
    said: dict[str, Any]
    state: str
    reason: str | None
    recorded_at: datetime
    step: str | None
    status: int | None
    code: str | None
    detail: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class StepCount:
    signup_id: int
    step: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which subscriptions: all of these that are not None must fit."""

    account: str
    import_name: str | None = None
    customer: str | None = None
    states: tuple[str, ...] | None = None
    is_unpaid: bool = False  # True: of these the created ones whose first invoice is not paid


def signups_by_state(tx: Transaction, account: str, import_name: str) -> dict[str, int]:
    """With `discarded`, and what is created and not paid as Stripe calls it, apart."""
    found = fetch(tx, StateCount, "signups_by_state", account=account, import_name=import_name)
    return {one.state: one.signups for one in found}


def signups_of_rows(tx: Transaction, account: str, rows: Sequence[PublishedRow]) -> list[FoundRow]:
    """Those of these that the ledger has, in no order."""
    return fetch(
        tx,
        FoundRow,
        "signups_of_rows",
        account=account,
        sources=[row.source for row in rows],
        row_ids=[row.row_id for row in rows],
        hashes=[row.content_hash for row in rows],
    )


def signup_imports(tx: Transaction, account: str, *, imports_max: int) -> list[SignupImport]:
    return fetch(tx, SignupImport, "signup_imports", account=account, imports_max=imports_max)


def signups_unpaid(tx: Transaction) -> list[Unpaid]:
    """Those that may still be paid, and those that ended lately, of every account."""
    return fetch(tx, Unpaid, "signups_unpaid", ids_max=UNPAID_SHOWN_MAX, lately=LATELY)


def signups_listed(tx: Transaction, wanted: Wanted, *, after: int, signups_max: int) -> list[ListedSignup]:
    return fetch(
        tx,
        ListedSignup,
        "signups_listed",
        account=wanted.account,
        import_name=wanted.import_name,
        customer=wanted.customer,
        states=None if wanted.states is None else list(wanted.states),
        is_unpaid=wanted.is_unpaid,
        after=after,
        signups_max=signups_max,
    )


def signups_found(tx: Transaction, account: str, text: str) -> list[ShownSignup]:
    """By any of its ids: su-123, the row's, its subscription's or the one in the metadata."""
    return fetch(tx, ShownSignup, "signups_found", account=account, id=text, signups_max=SAME_ID_MAX)


def steps_told(tx: Transaction, signup_id: int) -> list[ToldStep]:
    return fetch(tx, ToldStep, "signup_steps_told", signup_id=signup_id)


def listings_told(tx: Transaction, signup_id: int) -> list[ToldListing]:
    """The newest first."""
    return fetch(tx, ToldListing, "signup_listings_told", signup_id=signup_id, listings_max=LISTINGS_MAX)


def attempts_told(tx: Transaction, signup_id: int) -> list[ToldAttempt]:
    """The newest first."""
    return fetch(tx, ToldAttempt, "signup_attempts_told", signup_id=signup_id, attempts_max=ATTEMPTS_MAX)


def steps_counted(tx: Transaction, signup_ids: Sequence[int]) -> list[StepCount]:
    return fetch(tx, StepCount, "signup_steps_counted", signup_ids=list(signup_ids))


def every_rejected(
    tx: Transaction, account: str, import_name: str | None, *, states: Sequence[str] = CORRECTABLE
) -> Iterator[RejectedSignup]:
    """The oldest first, a page at a time, so that they may be as many as they like."""
    after = 0
    while page := fetch(
        tx,
        RejectedSignup,
        "signups_rejected",
        account=account,
        import_name=import_name,
        states=list(states),
        after=after,
        signups_max=PAGE_SIGNUPS,
    ):
        yield from page
        after = page[-1].signup_id

"""The verdict, by three who know nothing of each other: Stripe's list of subscriptions, the wire, and the ledger."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from chaos.calls import Call
from chaos.signups.place import Place
from service.invariants import check
from service.ledger import Ledger

ROW = "meterpost_row"
CREATE = "/v1/subscriptions"
PAGE = 100
NAMED_MAX = 10  # of what is wrong; a count tells the rest
SIGNUPS = "SELECT identifier, state, subscription FROM signup"
ATTEMPTS = """
SELECT 'signup-' || signup_attempt_id || '-' || fence, step, idempotency_key, status, request_id, ended_at IS NULL
FROM signup_attempt
"""
LETTERS = "SELECT letter || ' ' || class || ': ' || reason FROM dead_letter"
PATHS = {
    "price": "/v1/prices/",
    "list": CREATE,
    "tax_id": "/v1/customers/",
    "product": "/v1/products",
    "payment_method": "/v1/payment_methods/",
    "create": CREATE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A call as the ledger has it."""

    call_id: str
    step: str
    key: str | None
    status: int | None
    request_id: str | None
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`missing` and `doubled` are rows; `wrongs` are whatever else does not add up, a sentence each."""

    created: int
    missing: tuple[str, ...]
    doubled: tuple[str, ...]
    before_person: int
    calls: dict[str, int]  # at the wire, by step
    statuses: dict[str, int]
    unheard: int  # calls whose answer the ledger does not have
    wrongs: tuple[str, ...]


def judge(here: Place, wanted: dict[str, str]) -> Verdict:
    """`wanted`: the customer by the identifier of each row. Nothing is under way any more."""
    here.calls.read_on()
    attempts = {one[0]: Attempt(**dict(zip(Attempt.__slots__, one, strict=True))) for one in here.ask(ATTEMPTS)}
    made = _made(here)
    counts = Counter(identifier for identifier, _, _ in made)
    letters = [str(letter) for (letter,) in here.ask(LETTERS)]
    steps = Counter(attempts[str(call.call_id)].step for call in here.calls.calls if call.call_id in attempts)
    heard = {one.request_id for one in attempts.values()}
    return Verdict(
        created=len(made),
        missing=tuple(sorted(wanted.keys() - counts.keys())),
        doubled=tuple(sorted(identifier for identifier, count in counts.items() if count > 1)),
        before_person=len(letters),
        calls=dict(sorted(steps.items())),
        statuses=dict(sorted(Counter(str(call.status) for call in here.calls.calls).items())),
        unheard=sum(call.request_id not in heard for call in here.calls.calls),
        wrongs=(
            *_named("a letter lies on the desk", letters),
            *_named("a subscription is of no row, or another customer's", _strays(made, wanted)),
            *_named("the ledger and Stripe differ", _differences(here, made)),
            *_named("a call and the ledger's attempts differ", _unmatched(here.calls.calls, attempts)),
            *_named("an attempt and the wire differ", _unseen(here.calls.calls, attempts)),
            *_named("an invariant is broken", _breaches(here)),
        ),
    )


def _made(here: Place) -> list[tuple[str, str, str]]:
    """Of each subscription at Stripe the row that it names, its customer and its id."""
    asked: Any = {"status": "all", "limit": PAGE}
    listed = here.stripe.v1.subscriptions.list(asked).auto_paging_iter()
    return [(str(one.metadata.to_dict().get(ROW)), str(one.customer), str(one.id)) for one in listed]


def _strays(made: list[tuple[str, str, str]], wanted: dict[str, str]) -> list[str]:
    return [subscription for identifier, customer, subscription in made if wanted.get(identifier) != customer]


def _differences(here: Place, made: list[tuple[str, str, str]]) -> list[str]:
    at_stripe = {(identifier, subscription) for identifier, _, subscription in made}
    told = {(identifier, subscription) for identifier, _, subscription in here.ask(SIGNUPS)}
    return [f"{identifier} {subscription}" for identifier, subscription in at_stripe ^ told]


def _unmatched(calls: list[Call], attempts: dict[str, Attempt]) -> list[str]:
    """Calls without an attempt, or with one of something else, or with another's that asks for a change as well."""
    changing = Counter(call.call_id for call in calls if call.method == "POST")
    twice = [f"{call_id} twice" for call_id, count in changing.items() if count > 1]
    return twice + [str(call.call_id) for call in calls if not _is_told(call, attempts.get(str(call.call_id)))]


def _is_told(call: Call, attempt: Attempt | None) -> bool:
    if attempt is None or attempt.is_open or not call.path.startswith(PATHS[attempt.step]):
        return False
    return call.idempotency_key == attempt.key and (call.method == "POST") == (attempt.key is not None)


def _unseen(calls: list[Call], attempts: dict[str, Attempt]) -> list[str]:
    """Attempts of whose call the wire says something else; without an answer it may never have left."""
    seen = {(call.call_id, call.request_id, call.status) for call in calls}
    answered = [one for one in attempts.values() if one.request_id is not None]
    return [one.call_id for one in answered if (one.call_id, one.request_id, one.status) not in seen]


def _breaches(here: Place) -> list[str]:
    ledger = Ledger(here.env["DATABASE_URL"])
    try:
        with ledger.transaction() as tx:
            return [f"{breach.invariant} {breach.subject}: {breach.said}" for breach in check(tx, timing=here.timing)]
    finally:
        ledger.close()


def _named(what: str, found: list[str]) -> list[str]:
    return [f"{what} ({len(found):,}): {', '.join(sorted(found)[:NAMED_MAX])}"] if found else []

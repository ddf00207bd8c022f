"""The judge: what Stripe counted against what producers were told is safe, and every call against its attempt.

Three witnesses who know nothing of each other: the producers' own sums, the sandbox's auditor, which reads the wire
alone, and the ledger. Lost and extra are units of the first against the second, by customer, meter and hour, so that
neither can hide in the other. Calls and attempts are joined by the name that each call told (`mp-ATTEMPT-FENCE`), and
must agree on key and request id. The ledger is asked for its own invariants as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import psycopg
from psycopg.rows import class_row

from chaos.calls import Call, CallLog
from local.sandbox import ask_sandbox
from service import invariants
from service.invariants import Breach
from service.timing import FAST, Timing

HOUR_S = 3600
NAMED_MAX = 20  # of each kind of what is wrong; the rest is counted

Told: TypeAlias = Mapping[tuple[str, str, int], Decimal]
"""Units by customer, meter and the hour's start in Unix seconds."""

ATTEMPTS = """
SELECT format('mp-%s-%s', attempt_id, fence) AS call_id, idempotency_key, status, request_id
FROM attempt
ORDER BY attempt_id
"""
STATES = "SELECT state, count(*) FROM meter_event GROUP BY state ORDER BY state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where Stripe's units are not the producers'."""

    customer: str
    meter: str
    hour: int
    told: Decimal
    billed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    call_id: str
    idempotency_key: str
    status: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Calls and attempts side by side."""

    calls: int
    attempts: int
    unwritten: tuple[Call, ...]  # calls without exactly one attempt that agrees with them
    uncalled: tuple[AttemptRow, ...]  # attempts with a status that are not exactly one call


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    told: Decimal
    billed: Decimal
    lost: Decimal
    extra: Decimal
    differences: tuple[Difference, ...]
    applied_twice: tuple[str, ...]  # identifiers
    joined: Joined
    states: dict[str, int]  # meter events
    breaches: tuple[Breach, ...]

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.extra or self.wrongs())

    def wrongs(self) -> list[str]:
        """What is wrong, a sentence each."""
        return [
            *_named("units", self.differences),
            *_named("applied twice", self.applied_twice),
            *_named("a call without its attempt", self.joined.unwritten),
            *_named("an attempt without its call", self.joined.uncalled),
            *_named("an invariant", self.breaches),
        ]

    def table(self) -> list[tuple[str, str]]:
        """What was found, by name."""
        return [
            ("units told", f"{self.told:,f}"),
            ("units billed", f"{self.billed:,f}"),
            ("lost", f"{self.lost:,f}"),
            ("extra", f"{self.extra:,f}"),
            ("meter events", ", ".join(f"{count:,} {state}" for state, count in self.states.items()) or "none"),
            ("calls", f"{self.joined.calls:,}"),
            ("attempts", f"{self.joined.attempts:,}"),
            ("calls without an attempt", f"{len(self.joined.unwritten):,}"),
            ("attempts without a call", f"{len(self.joined.uncalled):,}"),
            ("invariants broken", f"{len(self.breaches):,}"),
        ]


def judge(told: Told, *, database_url: str, calls: CallLog, timing: Timing = FAST) -> Verdict:
    """The verdict on everything that happened in one ledger and in the account of `calls`.

    Of a ledger at rest: the witnesses are heard one after the other, and would disagree about calls being made.
    """
    calls.read_on()
    of_account = f"account={calls.account}"
    billed = billed_by_hour(ask_sandbox(calls.sandbox_url, f"/_sandbox/audit/minutes?{of_account}")["data"])
    report = ask_sandbox(calls.sandbox_url, f"/_sandbox/audit?{of_account}")
    differences = compare(told, billed)
    cancelled = {copy["identifier"] for copy in report["cancelled"]}  # what it took along is in the units
    with psycopg.connect(database_url) as ledger:
        breaches = invariants.check(ledger, timing=timing)
        attempts = ledger.cursor(row_factory=class_row(AttemptRow)).execute(ATTEMPTS).fetchall()
        states: dict[str, int] = dict(ledger.execute(STATES).fetchall())
    return Verdict(
        told=sum(told.values(), Decimal(0)),
        billed=sum((Decimal(total["value"]) for total in report["totals"]), Decimal(0)),
        lost=sum((each.told - each.billed for each in differences if each.told > each.billed), Decimal(0)),
        extra=sum((each.billed - each.told for each in differences if each.billed > each.told), Decimal(0)),
        differences=tuple(differences),
        applied_twice=tuple(sorted(set(report["applied_twice"]) - cancelled)),
        joined=join(calls.calls, attempts),
        states=states,
        breaches=tuple(breaches),
    )


def billed_by_hour(minutes: Iterable[dict[str, Any]]) -> dict[tuple[str, str, int], Decimal]:
    """The auditor's sums by minute, as sums by hour."""
    billed: defaultdict[tuple[str, str, int], Decimal] = defaultdict(Decimal)
    for each in minutes:
        hour = each["minute"] - each["minute"] % HOUR_S
        billed[each["customer"], each["event_name"], hour] += Decimal(each["value"])
    return billed


def compare(told: Told, billed: Told) -> list[Difference]:
    """Every customer, meter and hour in which the two are not the same."""
    nothing = Decimal(0)
    return [
        Difference(customer=key[0], meter=key[1], hour=key[2], told=of_told, billed=of_billed)
        for key in sorted(told.keys() | billed.keys())
        for of_told, of_billed in [(told.get(key, nothing), billed.get(key, nothing))]
        if of_told != of_billed
    ]


def join(calls: Iterable[Call], attempts: Iterable[AttemptRow]) -> Joined:
    """Which calls have no attempt of their own, and which answered attempts were no call."""
    calls, of_name = list(calls), {attempt.call_id: attempt for attempt in attempts}
    told = Counter(call.call_id for call in calls)
    return Joined(
        calls=len(calls),
        attempts=len(of_name),
        unwritten=tuple(
            call for call in calls if told[call.call_id] != 1 or not _agree(call, of_name.get(call.call_id or ""))
        ),
        uncalled=tuple(each for each in of_name.values() if each.status is not None and told[each.call_id] != 1),
    )


def _agree(call: Call, attempt: AttemptRow | None) -> bool:
    """An attempt that heard no answer, or a proxy's, has no request id; one with a status has the call's."""
    if attempt is None or attempt.idempotency_key != call.idempotency_key:
        return False
    is_answer = attempt.request_id in {None, call.request_id}
    return is_answer and (attempt.status is None or attempt.status == call.status)


def _named(what: str, found: Iterable[object]) -> list[str]:
    found = list(found)
    more = [f"{what}: and {len(found) - NAMED_MAX:,} more"] if len(found) > NAMED_MAX else []
    return [f"{what}: {each}" for each in found[:NAMED_MAX]] + more

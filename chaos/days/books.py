"""The audit of a run: what was told, what Stripe counts, and every meter event that makes the difference, by name."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from chaos.days.usage import HOUR_S
from chaos.days.works import STRIPE_ACCOUNT, TIMING, Works
from chaos.judge import Told, Verdict, judge
from local.sandbox import ask_sandbox
from service.timing import RETRY_WINDOW_S

ONCE, CANCELLED, IN_CONFLICT, SILENT = "counted once", "cancelled", "in conflict", "counted twice, and nobody was told"
SETTLED = {"accepted", "confirmed"}
ON_THE_DESK = {"refused", "conflict"}
NOT_READ_BACK, A_PERSON_DECIDES = "; not read back: ", "; a person decides"  # of what is held for ever, and why
UNSETTLED = """
SELECT
    meter_event_id, customer, meter, stamped_at, value, state, reason,
    is_closed('me-' || meter_event_id) AS is_discarded,
    ARRAY(SELECT identifier FROM generation AS g WHERE g.meter_event_id = m.meter_event_id) AS identifiers
FROM meter_event AS m
JOIN lane USING (lane_id)
WHERE state NOT IN ('accepted', 'confirmed') OR formula = 'last'
ORDER BY meter_event_id
"""
LATE = """
SELECT attempt_id, started_at - ambiguous_since AS after
FROM attempt
JOIN generation USING (meter_event_id, generation)
WHERE started_at >= ambiguous_since + %s
"""
COUNTED = "SELECT count(*) FROM meter_event"
VERDICTS = "SELECT verdict, count(*) FROM reading GROUP BY verdict ORDER BY verdict"
GENERATIONS = "SELECT count(*) FROM generation WHERE generation > 1"
CONFLICTS = """
SELECT identifier FROM generation JOIN meter_event AS m USING (meter_event_id) WHERE m.state = 'conflict'
"""
UNSEALED = "SELECT count(*) FROM entry WHERE meter_event_id IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A meter event that is neither accepted nor confirmed, or not counted once, and how often Stripe counts it."""

    meter_event_id: int
    customer: str
    meter: str
    stamped_at: datetime
    value: Decimal
    state: str
    reason: str | None
    is_discarded: bool
    counted: int
    is_forgotten: bool = False  # a call of it came when Stripe had forgotten its identifier: it may well count twice
    is_covered: bool = False  # of a `last` meter: Stripe's books show a later value of its hour, and nobody misses it

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED and self.counted == 1

    @property
    def is_explained(self) -> bool:
        """Whether it stands before a person with its reason, or is of no consequence.

        After days of rest nothing is held that Stripe's books could still release.
        """
        stands = self.state in ON_THE_DESK and bool(self.reason)
        return self.is_discarded or self.is_covered or stands or self.is_held_for_ever

    @property
    def is_held_for_ever(self) -> bool:
        return self.state == "held" and (self.reason or "").endswith(A_PERSON_DECIDES)

    @property
    def is_too_often(self) -> bool:
        """Whether it counts several times, and nobody was told."""
        return self.counted > 1 and not (self.is_forgotten and self.state == "conflict")

    @property
    def why(self) -> str:
        """Of what is held for ever."""
        reason = (self.reason or "").removesuffix(A_PERSON_DECIDES)
        return f": {reason.partition(NOT_READ_BACK)[2]}" if self.is_held_for_ever else ""

    def is_covered_by(self, other: "Unsettled") -> bool:
        """Only the last value of an hour shows; an earlier one that Stripe dropped without a word changes nothing."""
        of_one_hour = (self.customer, self.meter, self.hour) == (other.customer, other.meter, other.hour)
        return of_one_hour and self.state in SETTLED and other.stamped_at > self.stamped_at and other.counted > 0

    @property
    def hour(self) -> int:
        return int(self.stamped_at.timestamp()) // HOUR_S * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    meter_events: int
    unsettled: tuple[Unsettled, ...]
    unsealed: int
    late_attempts: tuple[tuple[int, timedelta], ...]
    verdicts: dict[str, int]
    next_generations: int
    forgotten: Counter[str]  # what became of the calls that came when Stripe had forgotten their identifier
    verdict: Verdict  # with what is not to be billed taken out of what was told

    def wrongs(self) -> list[str]:
        """What is wrong, a sentence each."""
        return [
            *self.verdict.wrongs(),
            *(f"me-{one.meter_event_id} counts {one.counted} times" for one in self.unsettled if one.is_too_often),
            *(f"me-{one.meter_event_id} is {one.state}" for one in self.unsettled if not one.is_explained),
            *(f"attempt {attempt} began {after} after the first doubt" for attempt, after in self.late_attempts),
            *([f"{self.unsealed} entries are in no meter event"] if self.unsealed else []),
        ]

    @property
    def found_twice(self) -> int:
        """How many calls counted a second time, because Stripe had forgotten, and were found."""
        return self.forgotten[CANCELLED] + self.forgotten[IN_CONFLICT]

    def standing(self) -> dict[str, tuple[int, Decimal]]:
        """Meter events and units before a person, by what became of them."""
        counts, units = Counter[str](), defaultdict[str, Decimal](Decimal)
        for one in self.unsettled:
            more = {
                ", discarded": one.is_discarded,
                ", counts": one.counted,
                ", covered by a later one": one.is_covered,
            }
            name = one.state + one.why + "".join(word for word, holds in more.items() if holds)
            counts[name] += 1
            units[name] += one.value
        return {name: (counts[name], units[name]) for name in sorted(counts)}


def audited(works: Works, told: Told, *, forgotten: set[str]) -> Books:
    """`forgotten` are the identifiers of calls that came when Stripe had forgotten them."""
    report = ask_sandbox(works.settings.stripe_api_base, f"/_sandbox/audit?account={STRIPE_ACCOUNT}")
    cancelled, rejected = ([entry["identifier"] for entry in report[how]] for how in ("cancelled", "rejected_later"))
    unsettled = _unsettled(works, Counter(cancelled + rejected), forgotten)
    twice = set(report["applied_twice"]) - set(rejected)  # of those one counts nowhere; the units tell whether one does
    fates = _fates(works, forgotten, twice=twice, cancelled=set(cancelled))
    verdict = judge(
        without(told, unsettled), database_url=works.settings.database_url, calls=works.calls, timing=TIMING
    )
    silent = tuple(one for one in verdict.applied_twice if one in twice and fates.get(one) != IN_CONFLICT)
    return Books(
        meter_events=works.ask(COUNTED)[0][0],
        unsettled=tuple(unsettled),
        unsealed=works.ask(UNSEALED)[0][0],
        late_attempts=tuple((found[0], found[1]) for found in works.ask(LATE, timedelta(seconds=RETRY_WINDOW_S))),
        verdicts={found[0]: found[1] for found in works.ask(VERDICTS)},
        next_generations=works.ask(GENERATIONS)[0][0],
        forgotten=Counter(fates.values()),
        verdict=replace(verdict, applied_twice=silent),
    )


def _fates(works: Works, forgotten: set[str], *, twice: set[str], cancelled: set[str]) -> dict[str, str]:
    """What became of each call that came when Stripe had forgotten its identifier."""
    in_conflict = {found[0] for found in works.ask(CONFLICTS)}
    fates = dict.fromkeys(forgotten, ONCE)
    fates |= dict.fromkeys(forgotten & twice, SILENT)
    fates |= dict.fromkeys(forgotten & cancelled, CANCELLED)
    return fates | dict.fromkeys(forgotten & in_conflict, IN_CONFLICT)


def _unsettled(works: Works, taken_out: Counter[str], forgotten: set[str]) -> list[Unsettled]:
    found = []
    for *told, identifiers in works.ask(UNSETTLED):
        names = ("meter_event_id", "customer", "meter", "stamped_at", "value", "state", "reason", "is_discarded")
        counted = sum(_times_applied(works, one) - taken_out[one] for one in identifiers)
        is_forgotten = not forgotten.isdisjoint(identifiers)
        found.append(Unsettled(**dict(zip(names, told, strict=True)), counted=counted, is_forgotten=is_forgotten))
    covered = [replace(one, is_covered=any(one.is_covered_by(other) for other in found)) for one in found]
    return [one for one in covered if not one.is_settled]


def _times_applied(works: Works, identifier: str) -> int:
    log = f"/_sandbox/audit/calls?account={STRIPE_ACCOUNT}&identifier={identifier}"
    return sum(call["applied"] for call in ask_sandbox(works.settings.stripe_api_base, log)["data"])


def without(told: Told, unsettled: list[Unsettled]) -> Mapping[tuple[str, str, int], Decimal]:
    """What Stripe must have counted, if all that is not settled is as it says."""
    expected = dict(told)
    for one in unsettled:
        key = (one.customer, one.meter, one.hour)
        expected[key] = expected.get(key, Decimal(0)) - one.value * (1 - one.counted)
    return expected

"""`meterpost status`: what stands at each step, and how old the oldest of it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import click
import redis

from cli.exits import FAILURE, OK
from cli.ledger import reading
from cli.output import age, json_option, print_json, print_table, print_words
from service import settings, wakeups
from service.ledger import LedgerUnavailable
from service.ledger.overview import Standing, ledger_time, overview
from service.queues import QueueUnavailable, RowQueue
from service.redaction import scrub
from service.settings import Settings

EPILOG = """\b
Examples:
  meterpost status
  watch meterpost status
  meterpost status --json | jq '.steps[] | select(.needs_person)'
"""
WAKEUP_STEPS = ("submit", "apply")
NEEDS_PERSON = frozenset({"garbled", "quarantined", "conflict", "refused", "held", "failed"})
SENTENCES = {
    ("publish", "waiting"): "messages on the queue that nobody has claimed yet",
    ("publish", "unacked"): "messages claimed by record and not committed yet",
    ("publish", "garbled"): "items of the queue that are no messages",
    ("record", "recorded"): "rows that became entries, ever",
    ("record", "duplicate"): "rows told again with the same content, ever; they count once",
    ("record", "quarantined"): "rows that could not be read, with their reasons",
    ("record", "conflict"): "row ids told again with other content; the first content counts",
    ("seal", "unsealed"): "entries whose bucket is not over or whose meter is not known",
    ("submit", "sealed"): "meter events that wait to be sent",
    ("submit", "unknown"): "meter events that may count; the same identifier is sent again",
    ("submit", "refused"): "meter events that Stripe will not take",
    ("submit", "held"): "meter events that cannot be decided without Stripe's own books",
    ("submit", "conflict"): "meter events that Stripe and the ledger disagree about",
    ("submit", "wake-ups"): "wake-ups of submit in Redis; they may be lost without harm",
    ("reconcile", "accepted"): "meter events that Stripe took, not yet seen in its summaries",
    ("reconcile", "confirmed"): "meter events that Stripe's summaries agree with, ever",
    ("apply", "received"): "Stripe's events whose effect is due",
    ("apply", "applied"): "Stripe's events whose effect is committed, ever",
    ("apply", "ignored"): "Stripe's events that change nothing here, ever",
    ("apply", "failed"): "Stripe's events that could not be applied",
    ("apply", "wake-ups"): "wake-ups of apply in Redis; they may be lost without harm",
}
ORDER = list(SENTENCES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the answer, and the shape of one item of `steps` in JSON."""

    step: str
    state: str
    count: int
    oldest_s: int | None  # how long the oldest has stood there; None: nothing, or not known
    needs_person: bool
    meaning: str


@click.command(epilog=EPILOG)
@json_option
def command(*, as_json: bool) -> int:
    """Show what stands at each step, and how old the oldest of it is.

    What is away is said on stderr (exit code 1); the rest is shown all the same.
    """
    chosen = settings.load()
    chosen.require("DATABASE_URL", "BROKER_URL")
    steps: list[Step] = []
    away: list[str] = []
    for look in (_queue, _ledger, _wakeups):
        _look(look, chosen, steps=steps, away=away)
    steps.sort(key=lambda step: ORDER.index((step.step, step.state)))
    _answer(steps, away, as_json=as_json)
    return FAILURE if away else OK


def _look(look: Callable[[Settings], list[Step]], chosen: Settings, *, steps: list[Step], away: list[str]) -> None:
    try:
        steps.extend(look(chosen))
    except (LedgerUnavailable, QueueUnavailable, redis.RedisError) as error:
        away.append(scrub(str(error)))


def _answer(steps: list[Step], away: list[str], *, as_json: bool) -> None:
    for text in away:
        print_words(f"away: {text}")
    if as_json:
        print_json({"steps": steps, "away": away})
        return
    rows = [(step.step, step.state, step.count, age(step.oldest_s), _mark(step), step.meaning) for step in steps]
    print_table(["step", "state", "#count", "#oldest", "", "meaning"], rows)


def _mark(step: Step) -> str:
    return "!" if step.needs_person else ""


def _queue(chosen: Settings) -> list[Step]:
    queue = RowQueue(chosen.broker_url, visibility_timeout_s=chosen.timing.visibility_timeout_s, prefetch_messages=1)
    try:
        depth = queue.depth()
    finally:
        queue.close()
    oldest_s = _seconds_since(depth.oldest_sent_at, now=datetime.now(UTC))
    return [
        _step("publish", "waiting", depth.waiting, oldest_s=oldest_s),
        _step("publish", "unacked", depth.unacked),
        _step("publish", "garbled", depth.garbled),
    ]


def _ledger(_chosen: Settings) -> list[Step]:
    with reading() as tx:
        standings, now = overview(tx), ledger_time(tx)
    found = {(one.step, one.state): one for one in standings}
    nothing = (Standing(step, state, 0, None) for step, state in ORDER if _is_ledgers(step, state))
    complete = {(one.step, one.state): one for one in nothing} | found
    return [
        _step(one.step, one.state, one.count, oldest_s=_seconds_since(one.since, now=now)) for one in complete.values()
    ]


def _is_ledgers(step: str, state: str) -> bool:
    return step != "publish" and state != "wake-ups"


def _wakeups(chosen: Settings) -> list[Step]:
    with wakeups.connect(chosen.redis_url) as connection:
        queues = [wakeups.WakeUps(connection, step, timing=chosen.timing) for step in WAKEUP_STEPS]
        return [_step(step, "wake-ups", queue.waiting()) for step, queue in zip(WAKEUP_STEPS, queues, strict=True)]


def _step(step: str, state: str, count: int, *, oldest_s: int | None = None) -> Step:
    return Step(
        step=step,
        state=state,
        count=count,
        oldest_s=oldest_s,
        needs_person=count > 0 and state in NEEDS_PERSON,
        meaning=SENTENCES[step, state],
    )


def _seconds_since(since: datetime | None, *, now: datetime) -> int | None:
    return None if since is None else max(0, int((now - since).total_seconds()))

"""`meterpost status`: what stands at each step, and how old the oldest of it is."""

from collections.abc import Callable
from datetime import UTC, datetime

import click
import redis

from cli.alarms_shown import open_alarms_of
from cli.exits import FAILURE, OK
from cli.ledger import reading
from cli.output import json_option, print_json, print_table, print_words
from cli.seeing import COLUMNS, Breaker, Paused, Seen, Step, row_of, words_of
from cli.watching import watch
from service import settings, wakeups
from service.ledger import LedgerUnavailable
from service.ledger.accounts import PinnedAccount, pinned_account
from service.ledger.alarms import alarms_by_kind
from service.ledger.epochs import open_restore
from service.ledger.overview import Standing, ledger_time, overview
from service.ledger.pauses import pauses
from service.queues import QueueUnavailable, RowQueue
from service.redaction import scrub
from service.settings import Settings

EPILOG = """\b
Examples:
  meterpost status
  meterpost status --watch --interval 5
  meterpost status --json | jq '.steps[] | select(.needs_person)'
"""
WAKEUP_STEPS = ("submit", "subscribe", "apply")
NEEDS_PERSON = frozenset(
    {"garbled", "missed", "quarantined", "conflict", "external", "refused", "held", "failed", "blocked"}
)
SENTENCES = {
    ("publish", "waiting"): "messages on the queue that nobody has claimed yet",
    ("publish", "unacked"): "messages claimed by record and not committed yet",
    ("publish", "garbled"): "items of the queue that are no messages",
    ("record", "recorded"): "rows that became entries, ever",
    ("record", "duplicate"): "rows told again with the same content, ever; they count once",
    ("record", "quarantined"): "rows that could not be read, with their reasons",
    ("record", "conflict"): "row ids told again with other content; the first content counts",
    ("seal", "unsealed"): "entries whose bucket is not over or whose meter is not known",
    (
        "seal",
        "external",
    ): "amounts that Stripe counts and a restored ledger does not know; their hours wait for the rows",
    ("submit", "sealed"): "meter events that wait to be sent",
    ("submit", "unknown"): "meter events that may count; the same identifier is sent again",
    ("submit", "refused"): "meter events that Stripe will not take",
    ("submit", "held"): "meter events that cannot be decided without Stripe's own books",
    ("submit", "conflict"): "meter events that Stripe and the ledger disagree about",
    ("submit", "wake-ups"): "wake-ups of submit in Redis; they may be lost without harm",
    ("subscribe", "due"): "subscriptions whose next step is to be taken",
    ("subscribe", "unknown"): "subscriptions that may be made; the same key is sent again",
    ("subscribe", "refused"): "subscriptions that are not made as their rows want them",
    ("subscribe", "blocked"): "subscriptions that would bill what another one bills",
    ("subscribe", "held"): "subscriptions that cannot be decided without the customer's list",
    ("subscribe", "conflict"): "rows of which Stripe has several subscriptions",
    ("subscribe", "created"): "subscriptions that Stripe has, ever",
    ("subscribe", "replaced"): "subscription rows that were told again, corrected, ever",
    ("subscribe", "wake-ups"): "wake-ups of subscribe in Redis; they may be lost without harm",
    ("reconcile", "accepted"): "meter events that Stripe took, not yet seen in its summaries",
    ("reconcile", "confirmed"): "meter events that Stripe's summaries agree with, ever",
    ("reconcile", "cancelled"): "meter events that a person took back, and Stripe's summaries show no more, ever",
    ("receive", "refused today"): "requests that the door refused since midnight UTC",
    ("receive", "refused yesterday"): "requests that the door refused the day before",
    ("receive", "missed"): "events of the last 30 days that Stripe lists and never pushed",
    ("apply", "received"): "Stripe's events whose effect is due",
    ("apply", "applied"): "Stripe's events whose effect is committed, ever",
    ("apply", "ignored"): "Stripe's events that change nothing here, ever",
    ("apply", "failed"): "Stripe's events that could not be applied",
    ("apply", "wake-ups"): "wake-ups of apply in Redis; they may be lost without harm",
    ("desk", "discarded"): "dead letters that a person discarded, ever",
}
ORDER = list(SENTENCES)


@click.command(epilog=EPILOG)
@click.option("--watch", "is_watched", is_flag=True, help="Look again and again, until Ctrl-C (exit code 130).")
@click.option(
    "--interval", "interval_s", type=click.FloatRange(0.1, 3_600), default=2, show_default=True, help="Seconds between."
)
@json_option
def command(*, is_watched: bool, interval_s: float, as_json: bool) -> int:
    """Show what stands at each step, and how old the oldest of it is.

    What is away is said on stderr (exit code 1); the rest is shown all the same. Away from a terminal, --watch prints
    what is not zero as plain lines, or with --json one object a line.
    """
    chosen = settings.load()
    chosen.require("DATABASE_URL", "BROKER_URL")
    if is_watched:
        return watch(lambda: _see(chosen), interval_s=interval_s, as_json=as_json)
    seen = _see(chosen)
    _answer(seen, as_json=as_json)
    return FAILURE if seen.away else OK


def _see(chosen: Settings) -> Seen:
    seen = Seen(steps=[], pauses=[], away=[])
    for look in (_queue, _ledger, _wakeups):
        _look(look, chosen, seen=seen)
    seen.steps.sort(key=lambda step: ORDER.index((step.step, step.state)))
    return seen


def _look(look: Callable[[Settings, Seen], None], chosen: Settings, *, seen: Seen) -> None:
    try:
        look(chosen, seen)
    except (LedgerUnavailable, QueueUnavailable, redis.RedisError) as error:
        seen.away.append(scrub(str(error)))


def _answer(seen: Seen, *, as_json: bool) -> None:
    if as_json:
        for text in seen.away:
            print_words(f"away: {text}")
        print_json(seen)
        return
    for text in words_of(seen):
        print_words(text)
    print_table(COLUMNS, [row_of(step) for step in seen.steps])


def _queue(chosen: Settings, seen: Seen) -> None:
    queue = RowQueue(chosen.broker_url, visibility_timeout_s=chosen.timing.visibility_timeout_s, prefetch_messages=1)
    try:
        depth = queue.depth()
    finally:
        queue.close()
    oldest_s = _seconds_since(depth.oldest_sent_at, now=datetime.now(UTC))
    seen.steps.append(_step("publish", "waiting", depth.waiting, oldest_s=oldest_s))
    seen.steps.append(_step("publish", "unacked", depth.unacked))
    seen.steps.append(_step("publish", "garbled", depth.garbled))


def _ledger(chosen: Settings, seen: Seen) -> None:
    with reading() as tx:
        seen.breaker = _breaker(pinned_account(tx, chosen.account))
        standings, paused, now = overview(tx), pauses(tx), ledger_time(tx)
        seen.restore = open_restore(tx)
        seen.alarms = [open_alarms_of(found, now=now) for found in alarms_by_kind(tx, chosen.account)]
    found = {(one.step, one.state): one for one in standings}
    nothing = (Standing(step, state, 0, None) for step, state in ORDER if _is_ledgers(step, state))
    for one in ({(one.step, one.state): one for one in nothing} | found).values():
        seen.steps.append(_step(one.step, one.state, one.count, oldest_s=_seconds_since(one.since, now=now)))
    for pause in paused:
        seen.pauses.append(Paused(pause=pause, age_s=max(0, int((now - pause.paused_at).total_seconds()))))


def _breaker(account: PinnedAccount | None) -> Breaker | None:
    if account is None or account.openings == 0:
        return None
    assert account.paused_until is not None, "an open breaker waits"
    reason = account.pause_reason or ""
    return Breaker(until=account.paused_until, trials_failed=account.openings - 1, reason=reason)


def _is_ledgers(step: str, state: str) -> bool:
    return step != "publish" and state != "wake-ups"


def _wakeups(chosen: Settings, seen: Seen) -> None:
    with wakeups.connect(chosen.redis_url) as connection:
        for step in WAKEUP_STEPS:
            queue = wakeups.WakeUps(connection, step, timing=chosen.timing)
            seen.steps.append(_step(step, "wake-ups", queue.waiting()))


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

"""The doctor on what must always be true: each invariant a finding, and each breach of it another."""

from collections.abc import Callable, Iterable, Sequence

import psycopg
from redis import RedisError

from service import agreement, wakeups
from service.doctor_ledger import connect
from service.findings import Finding, fail, fine, warn
from service.gateway import Gateway, KeyRefused, StripeRefused, StripeUnavailable
from service.invariants import INVARIANTS, Breach, check
from service.ledger.connection import Transaction
from service.ledger.second_readings import HoursToRead
from service.limiter import Limiter, Throttled
from service.migrate import MigrationEdited, pending
from service.redaction import on_one_line, scrub
from service.settings import Settings, SettingsInvalid, load

TIMEOUT_S = 600  # of a statement; each reads a whole table
LEDGER, STRIPE = "ledger invariants", f"invariant {agreement.SUMMARIES}"
UNTOLD = (StripeUnavailable, StripeRefused, KeyRefused, RedisError, Throttled)

Track = Callable[[Sequence[HoursToRead]], Iterable[HoursToRead]]


def examine_invariants(track: Track = iter) -> list[Finding]:
    """Reads the whole ledger, and the newest confirmed hours at Stripe, so it is asked for by itself.

    `track` passes the lanes on one by one as they are read, for whoever wants to show it. Changes nothing.
    """
    try:
        settings = load()
        settings.require("DATABASE_URL")
        with connect(settings.database_url, timeout_s=TIMEOUT_S) as tx:
            if pending(tx):
                return [fail(LEDGER, "the schema is behind this release", "run meterpost migrate")]
            return [*told(check(tx, timing=settings.timing)), *_examine_summaries(tx, settings, track=track)]
    except SettingsInvalid as invalid:
        return [fail(LEDGER, on_one_line(scrub(str(invalid))), "correct the variable; see meterpost config")]
    except MigrationEdited as edited:
        return [fail(LEDGER, str(edited), "install the release that this ledger was migrated with, or a later one")]
    except psycopg.OperationalError as away:
        text = f"the ledger cannot be read: {on_one_line(scrub(str(away)))}"
        return [fail(LEDGER, text, "start PostgreSQL, or correct DATABASE_URL")]


def told(breaches: Sequence[Breach]) -> list[Finding]:
    """A line for each breach, and one for each invariant that holds."""
    broken = {breach.invariant for breach in breaches}
    holding = [fine(f"invariant {name}", says) for name, says in INVARIANTS.items() if name not in broken]
    return [*holding, *(_told(breach, INVARIANTS[breach.invariant]) for breach in breaches)]


def _examine_summaries(tx: Transaction, settings: Settings, *, track: Track) -> list[Finding]:
    if not settings.stripe_secret_key:
        return [warn(STRIPE, "Stripe's books were not read: STRIPE_SECRET_KEY is not set", "set it")]
    if not settings.is_only_writer:
        return [fine(STRIPE, "not compared: METERPOST_ONLY_WRITER is false, and Stripe counts what others report too")]
    try:
        return _compare(tx, settings, track=track)
    except UNTOLD as untold:
        text = f"Stripe's books could not be read: {on_one_line(scrub(str(untold)))}"
        return [fail(STRIPE, text, "see meterpost doctor, and ask again")]


def _compare(tx: Transaction, settings: Settings, *, track: Track) -> list[Finding]:
    lanes = agreement.confirmed_lanes(tx, settings.account)
    settings.require("REDIS_URL")
    with wakeups.connect(settings.redis_url) as redis:
        limiter = Limiter(redis, settings.account, rates={"calls": settings.calls_per_s})
        gateway = Gateway(settings, limiter=limiter)
        compared = [agreement.compare(tx, gateway, lane) for lane in track(lanes)]
    breaches = [breach for one in compared for breach in one.breaches]
    if not breaches:
        hours = sum(one.hours for one in compared)
        return [fine(STRIPE, f"{agreement.SAYS}: {hours:,} hours of {len(lanes):,} lanes")]
    return [_told(breach, agreement.SAYS) for breach in breaches]


def _told(breach: Breach, says: str) -> Finding:
    text = f"{breach.subject}: {on_one_line(breach.said)} (it must be that {says})"
    return fail(f"invariant {breach.invariant}", text, "stop sending (meterpost pause), and find out what wrote this")

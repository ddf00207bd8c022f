"""What the steps need, opened at the start and closed at the end: settings, logs, the ledger, Redis; and Stripe.

A process that cannot work says why in one line and ends with 2; nothing is half open. Only steps that call Stripe ask
it whose key this is: recording must not depend on Stripe being up.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from redis import Redis

from service import logs, settings, wakeups
from service.crash_points import crash_point
from service.epoch import Guard
from service.gateway import Gateway, KeyRefused, StripeAccount, StripeRefused
from service.ledger import Ledger, accounts
from service.ledger.accounts import OtherAccount, PinnedAccount
from service.limiter import Limiter
from service.logs import say
from service.migrate import pending
from service.settings import Settings, SettingsInvalid
from service.timing import Timing
from service.witness import WitnessUnreadable, witnesses
from workers._loop import AWAY

CONNECTIONS_SPARE = 2  # beside one a thread, so that leasing never waits for a lane's turn to end
PATIENCE_S = 5  # between two questions to Stripe at the start
Answer = TypeVar("Answer")
UNUSABLE = 2  # the exit code of a process that a person has to set up


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    settings: Settings
    timing: Timing
    ledger: Ledger
    redis: Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSetup(Setup):
    limiter: Limiter
    gateway: Gateway
    guard: Guard


class NotReady(Exception):
    """The process cannot start; the text says what to do."""


@contextmanager
def set_up(process: str) -> Iterator[Setup]:
    """For a step that never calls Stripe."""
    with _opened(process) as setup:
        yield setup


@contextmanager
def set_up_with_stripe(process: str) -> Iterator[StripeSetup]:
    """For a step that calls Stripe: pins the account, or refuses to start under another's key."""
    with _opened(process, "STRIPE_SECRET_KEY") as setup:
        chosen = setup.settings
        rates = {"meter_events": chosen.meter_events_per_s, "calls": chosen.calls_per_s}
        limiter = Limiter(setup.redis, chosen.account, rates=rates)
        gateway = Gateway(chosen, limiter=limiter)
        key = _pin(setup.ledger, gateway, chosen.account)
        places = witnesses(setup.redis, chosen.witness_file, account=key.stripe_account, is_live=key.is_live)
        guard = Guard(setup.ledger, places)
        _patiently(guard.watch)
        yield StripeSetup(
            settings=chosen,
            timing=setup.timing,
            ledger=setup.ledger,
            redis=setup.redis,
            limiter=limiter,
            gateway=gateway,
            guard=guard,
        )


@contextmanager
def _opened(process: str, *wanted: str) -> Iterator[Setup]:
    try:
        chosen = settings.load()
        logs.configure(process=process, log_format=chosen.log_format, log_level=chosen.log_level)
        chosen.require("DATABASE_URL", "BROKER_URL", "REDIS_URL", *wanted)
        ledger = Ledger(chosen.database_url, connections_max=chosen.submit_threads + CONNECTIONS_SPARE)
        redis = wakeups.connect(chosen.redis_url)
        try:
            _refuse_old_schema(ledger)
            yield Setup(settings=chosen, timing=chosen.timing, ledger=ledger, redis=redis)
        finally:
            ledger.close()
            redis.close()
    except (SettingsInvalid, NotReady, OtherAccount, WitnessUnreadable) as unusable:
        say("worker.refused", step=process, reason=str(unusable))
        sys.exit(UNUSABLE)


def _refuse_old_schema(ledger: Ledger) -> None:
    def what_it_lacks() -> list[str]:
        with ledger.transaction() as tx:
            return pending(tx)

    if behind := _patiently(what_it_lacks):
        raise NotReady(f"the ledger lacks {', '.join(behind)}: run `meterpost migrate`")


def _pin(ledger: Ledger, gateway: Gateway, account: str) -> StripeAccount:
    key = _patiently(lambda: _whose_key(gateway))

    def pin() -> PinnedAccount:
        with ledger.transaction() as tx:
            pinned = accounts.pin_account(tx, account, stripe_account=key.stripe_account, is_live=key.is_live)
            crash_point("setup.before_pin_commit")
        crash_point("setup.after_pin_commit")
        return pinned

    pinned = _patiently(pin)
    say("account.pinned", account=account, stripe_account=pinned.stripe_account, is_live=pinned.is_live)
    return key


def _whose_key(gateway: Gateway) -> StripeAccount:
    try:
        return gateway.account()
    except (KeyRefused, StripeRefused) as refused:
        raise NotReady(f"Stripe refuses the key of STRIPE_SECRET_KEY: {refused}") from refused


def _patiently(ask: Callable[[], Answer]) -> Answer:
    """Ask what may be away, a server that is restarted just now for one, until it answers."""
    while True:
        try:
            return ask()
        except AWAY as away:
            say("worker.waiting", reason=str(away), wait_s=PATIENCE_S)
            time.sleep(PATIENCE_S)

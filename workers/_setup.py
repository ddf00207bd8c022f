"""What every step needs: settings, logs, the ledger, Stripe behind the limiter; and that the key is the ledger's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis

from service import logs, settings, wakeups
from service.gateway import Gateway
from service.ledger import Ledger, accounts
from service.limiter import Limiter
from service.settings import Settings
from service.timing import Timing

CONNECTIONS_SPARE = 2  # beside one a thread, so that leasing never waits for a lane's turn to end


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    settings: Settings
    timing: Timing
    ledger: Ledger
    redis: Redis
    limiter: Limiter
    gateway: Gateway


@contextmanager
def set_up(process: str) -> Iterator[Setup]:
    """Open everything, pin the account (or refuse to start under another's key), and close everything at the end."""
    chosen = settings.load()
    logs.configure(process=process, log_format=chosen.log_format)
    redis = wakeups.connect(chosen.redis_url)
    limiter = Limiter(
        redis, chosen.account, rates={"meter_events": chosen.meter_events_per_s, "calls": chosen.calls_per_s}
    )
    gateway = Gateway(chosen, limiter=limiter)
    ledger = Ledger(chosen.database_url, connections_max=chosen.submit_threads + CONNECTIONS_SPARE)
    try:
        _pin(ledger, gateway, chosen.account)
        yield Setup(settings=chosen, timing=chosen.timing, ledger=ledger, redis=redis, limiter=limiter, gateway=gateway)
    finally:
        ledger.close()
        redis.close()


def _pin(ledger: Ledger, gateway: Gateway, account: str) -> None:
    key = gateway.account()
    with ledger.transaction() as tx:
        pinned = accounts.pin_account(tx, account, stripe_account=key.stripe_account, is_live=key.is_live)
    logs.say("account.pinned", account=account, stripe_account=pinned.stripe_account, is_live=pinned.is_live)

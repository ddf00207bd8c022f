"""Which Stripe account and mode a ledger belongs to. Pinned by the first key; another's refuses to start."""

from dataclasses import dataclass
from datetime import datetime

from service.ledger.connection import Transaction, execute, fetch, fetch_one


class OtherAccount(Exception):
    """The key belongs to another Stripe account or mode than this ledger; see the text for both."""


@dataclass(frozen=True, slots=True)
class PinnedAccount:
    account: str
    stripe_account: str
    is_live: bool
    paused_until: datetime | None
    pause_reason: str | None
    openings: int = 0  # of the breaker, in a row; 0: it is closed


@dataclass(frozen=True, slots=True)
class _Account:
    account: str


def pin_account(tx: Transaction, account: str, *, stripe_account: str, is_live: bool) -> PinnedAccount:
    """Pin the account at the first call; compare at every later one. Raises OtherAccount."""
    execute(tx, "pin_account", account=account, stripe_account=stripe_account, is_live=is_live)
    pinned = pinned_account(tx, account)
    assert pinned is not None, "inserted above, or before"
    if (pinned.stripe_account, pinned.is_live) != (stripe_account, is_live):
        raise OtherAccount(
            f"this ledger belongs to {_name(pinned.stripe_account, is_live=pinned.is_live)}, "
            f"the key to {_name(stripe_account, is_live=is_live)}: "
            "set STRIPE_SECRET_KEY to a key of the first, or DATABASE_URL to another ledger"
        )
    return pinned


def pinned_account(tx: Transaction, account: str) -> PinnedAccount | None:
    return fetch_one(tx, PinnedAccount, "pinned_account", account=account)


def accounts_with_events(tx: Transaction) -> list[str]:
    """Accounts with events whose effect is due."""
    return [row.account for row in fetch(tx, _Account, "accounts_with_events")]


def _name(stripe_account: str, *, is_live: bool) -> str:
    return f"{stripe_account} ({'live' if is_live else 'test'} mode)"

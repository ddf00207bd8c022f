"""The doctor on Stripe: whose key it is, whether the ledger is that account's, and whether the meters can be used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import psycopg

from service import doctor_ledger
from service.findings import Finding, fail, fine
from service.gateway import Gateway, KeyRefused, StripeAccount, StripeRefused, StripeUnavailable
from service.ledger.accounts import PinnedAccount, pinned_account
from service.ledger.overview import meters_in_use
from service.meters import Meter
from service.redaction import scrub
from service.settings import Settings

CALL_DEADLINE_S = 4  # of each of two calls, one after the other
CONNECT_TIMEOUT_S = 1


class StripeReader(Protocol):
    """As much of the gateway as is asked here."""

    def account(self) -> StripeAccount: ...

    def list_meters(self) -> list[Meter]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger knows: the account it belongs to, and the meters that its rows name."""

    pinned: PinnedAccount | None = None
    meters: Sequence[str] = ()


def check_stripe(settings: Settings) -> list[Finding]:
    if not settings.stripe_secret_key:
        return [
            fail("stripe key", "STRIPE_SECRET_KEY is not set", "set it to a secret or restricted key, sk_… or rk_…")
        ]
    return examine_stripe(Gateway(impatient(settings)), _known(settings))


def impatient(settings: Settings) -> Settings:
    """The same, but for calls that end before the doctor gives the check up."""
    timing = settings.timing
    short = replace(
        timing, connect_timeout_s=CONNECT_TIMEOUT_S, call_deadline_s=min(CALL_DEADLINE_S, timing.call_deadline_s)
    )
    return replace(settings, timing=short)


def examine_stripe(stripe: StripeReader, known: Known) -> list[Finding]:
    """Whether this key may send what this ledger holds, to meters that add up."""
    try:
        key = examine_key(stripe.account(), known.pinned)
        meters = {meter.event_name: meter for meter in stripe.list_meters()}
    except (KeyRefused, StripeRefused) as refused:
        text = f"Stripe refuses the key: {scrub(str(refused))}"
        return [
            fail("stripe key", text, "set STRIPE_SECRET_KEY to a valid key that may read the account and its meters")
        ]
    except StripeUnavailable as away:
        return [
            fail(
                "stripe key", f"Stripe does not answer: {scrub(str(away))}", "look at the network, and STRIPE_API_BASE"
            )
        ]
    return [key, *examine_meters(known.meters, meters)]


def examine_key(key: StripeAccount, pinned: PinnedAccount | None) -> Finding:
    its = f"{key.stripe_account} in {_mode(is_live=key.is_live)} mode"
    if pinned is not None and (pinned.stripe_account, pinned.is_live) != (key.stripe_account, key.is_live):
        text = f"the key is of {its}, the ledger of {pinned.stripe_account} in {_mode(is_live=pinned.is_live)} mode"
        return fail(
            "stripe key", text, "set STRIPE_SECRET_KEY to a key of the ledger's, or DATABASE_URL to another ledger"
        )
    return fine("stripe key", f"the key is of {its}")


def examine_meters(used: Sequence[str], meters: dict[str, Meter]) -> list[Finding]:
    """A finding for every meter that rows name and that cannot be used; one for all where there is none."""
    bad = [finding for name in used if (finding := _examine_meter(name, meters.get(name))) is not None]
    return bad or [fine("meters", f"{len(used)} in use by rows, {len(meters)} at Stripe")]


def _examine_meter(name: str, meter: Meter | None) -> Finding | None:
    if meter is None:
        return fail(
            "meters", f"rows name {name}, which Stripe does not know", "make the meter, or correct the producer"
        )
    if not meter.is_active:
        return fail(
            "meters", f"rows name {name}, which is inactive at Stripe", "reactivate it, or correct the producer"
        )
    if meter.event_time_window is not None:
        text = f"{name} has event_time_window {meter.event_time_window}: it overwrites where usage must add up"
        return fail("meters", text, "make a meter without event_time_window for these rows")
    return None


def _known(settings: Settings) -> Known:
    if not settings.database_url:
        return Known()
    try:
        with doctor_ledger.connect(settings.database_url) as connection:
            return Known(
                pinned=pinned_account(connection, settings.account), meters=meters_in_use(connection, settings.account)
            )
    except psycopg.Error:
        return Known()  # away or not migrated, which the ledger's own check says


def _mode(*, is_live: bool) -> str:
    return "live" if is_live else "test"

"""Stripe's two destinations are made once, compared, and repaired when asked; and one's own door is tried."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import stripe

from service.event_types import SNAPSHOT_TYPES, THIN_TYPES
from service.gateway import API_VERSION
from service.ledger import accounts

Command = Callable[..., Any]
URL = "http://127.0.0.1:9/stripe/webhook"


@pytest.fixture
def shop(bare: Path, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> stripe.StripeClient:
    """A Stripe account that the settings name."""
    key = sandbox_server.new_account()
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    return stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url})


@pytest.fixture
def set_up(command: Command, shop: stripe.StripeClient) -> Command:
    return lambda *more: command("webhooks", "setup", "--url", URL, *more)


def _said(ran: Any) -> list[tuple[str, list[str]]]:
    return [(one["what"], [wrong["aspect"] for wrong in one["differences"]]) for one in ran.json["destinations"]]


def test_both_destinations_are_made_with_exactly_our_types(set_up: Command, shop: stripe.StripeClient) -> None:
    assert set_up().code == 0

    (endpoint,) = shop.v1.webhook_endpoints.list().data
    (destination,) = shop.v2.core.event_destinations.list({"include": ["webhook_endpoint.url"]}).data
    assert (endpoint.url, endpoint.api_version, set(endpoint.enabled_events)) == (URL, API_VERSION, set(SNAPSHOT_TYPES))
    assert (destination.event_payload, set(destination.enabled_events)) == ("thin", set(THIN_TYPES))


def test_the_secrets_are_printed_once_as_the_setting_wants_them(set_up: Command) -> None:
    first, second = set_up(), set_up()

    (line,) = [line for line in first.out.splitlines() if line.startswith("STRIPE_WEBHOOK_SECRETS=whsec_")]
    assert line.count("whsec_") == 2
    assert "whsec_" not in second.out + second.err


def test_a_second_run_finds_what_the_first_one_made(set_up: Command, shop: stripe.StripeClient) -> None:
    set_up()

    assert _said(set_up("--json")) == [("found", []), ("found", [])]
    assert len(shop.v1.webhook_endpoints.list().data) == 1


def test_a_check_makes_nothing_and_says_what_is_absent(set_up: Command, shop: stripe.StripeClient) -> None:
    ran = set_up("--check", "--json")

    assert (ran.code, _said(ran)) == (3, [("absent", ["absent"])] * 2)
    assert shop.v1.webhook_endpoints.list().data == []


def test_what_differs_is_said_and_left_as_it_is(set_up: Command, shop: stripe.StripeClient) -> None:
    shop.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["invoice.created", "payout.paid"]})

    ran = set_up("--json")

    wrong = ["types missing", "types superfluous", "API version"]
    assert (ran.code, _said(ran)) == (3, [("found", wrong), ("created", [])])
    assert shop.v1.webhook_endpoints.list().data[0].enabled_events == ["invoice.created", "payout.paid"]


def test_types_are_repaired_when_that_is_asked_for(set_up: Command, shop: stripe.StripeClient) -> None:
    set_up()
    (endpoint,) = shop.v1.webhook_endpoints.list().data
    shop.v1.webhook_endpoints.update(endpoint.id, {"enabled_events": ["*"]})

    ran = set_up("--repair", "--json")

    assert (ran.code, _said(ran)) == (0, [("repaired", []), ("found", [])])
    assert set(shop.v1.webhook_endpoints.list().data[0].enabled_events) == set(SNAPSHOT_TYPES)


def test_a_thin_destination_is_repaired_too(set_up: Command, shop: stripe.StripeClient) -> None:
    set_up()
    (thin,) = shop.v2.core.event_destinations.list().data
    shop.v2.core.event_destinations.update(thin.id, {"enabled_events": ["v1.billing.meter.no_meter_found"]})

    assert _said(set_up("--check", "--json"))[1] == ("found", ["types missing"])
    assert _said(set_up("--repair", "--json"))[1] == ("repaired", [])


def test_what_is_disabled_is_said_with_the_remedy(set_up: Command, shop: stripe.StripeClient) -> None:
    set_up()
    (endpoint,) = shop.v1.webhook_endpoints.list().data
    shop.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})

    ran = set_up()

    assert (ran.code, "events catch-up" in ran.err) == (3, True)


def test_another_endpoint_of_the_same_url_is_said(set_up: Command, shop: stripe.StripeClient) -> None:
    set_up()
    shop.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["invoice.created"]})

    assert _said(set_up("--json"))[0] == ("found", ["another of this URL"])


def test_a_secret_is_printed_though_the_other_destination_cannot_be_made(
    set_up: Command, shop: stripe.StripeClient, sandbox_server: Any
) -> None:
    sandbox_server.fault(kind="error_before", path="/v2/core/event_destinations", method="POST", times=1)

    first, second = set_up(), set_up("--json")

    assert (first.code, "STRIPE_WEBHOOK_SECRETS=whsec_" in first.out) == (1, True)
    assert (second.code, _said(second)) == (0, [("found", []), ("created", [])])


def test_an_endpoint_of_another_url_is_not_ours(set_up: Command, shop: stripe.StripeClient) -> None:
    shop.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/other", "enabled_events": ["*"]})

    assert _said(set_up("--json")) == [("created", []), ("created", [])]


@pytest.mark.parametrize("options", [["--url", "ftp://x"], ["--url", "billing"], [], ["--check", "--repair"]])
def test_what_cannot_be_meant_is_refused(command: Command, shop: stripe.StripeClient, options: list[str]) -> None:
    assert command("webhooks", "setup", *options).code == 2


def test_live_mode_wants_https(command: Command, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_made_up")

    ran = command("webhooks", "setup", "--url", "http://billing.example.com/stripe/webhook")

    assert (ran.code, "https://" in ran.err) == (2, True)


@pytest.fixture
def pinned(ledger: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A ledger of a mode, and a secret."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_of_a_test")

    def pin(*, is_live: bool) -> None:
        with psycopg.connect(ledger) as tx:
            accounts.pin_account(tx, "default", stripe_account="acct_1", is_live=is_live)

    return pin


@pytest.mark.parametrize(
    ("is_live", "more", "remedy"), [(True, [], "--livemode"), (False, ["--livemode"], "--livemode")]
)
def test_an_event_of_the_other_mode_is_not_sent(
    command: Command, pinned: Command, *, is_live: bool, more: list[str], remedy: str
) -> None:
    pinned(is_live=is_live)

    ran = command("webhooks", "send", "invoice.created", *more)

    assert (ran.code, remedy in ran.err, "mode" in ran.err) == (1, True, True)


def test_a_door_that_does_not_answer_is_said(command: Command, pinned: Command) -> None:
    ran = command("webhooks", "send", "invoice.created", "--url", "http://127.0.0.1:9/stripe/webhook")

    assert (ran.code, "does not answer" in ran.err) == (1, True)


def test_without_a_secret_in_force_nothing_is_sent(
    command: Command, pinned: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_of_a_test@2020-01-01T00:00:00Z")

    ran = command("webhooks", "send", "invoice.created")

    assert (ran.code, "STRIPE_WEBHOOK_SECRETS" in ran.err) == (1, True)


@pytest.mark.parametrize("asked", [["Invoice!"], ["invoice.created", "--object", "[]"], []])
def test_what_is_no_event_is_not_sent(command: Command, pinned: Command, asked: list[str]) -> None:
    assert command("webhooks", "send", *asked).code == 2

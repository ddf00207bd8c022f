"""The doctor on the rate card, beside a real sandbox."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
CARD = 'currency = "usd"\n[[metrics]]\nmetric = "calls"\nunit = "call"\nprice = "0.0025"\nlookup_key = "calls_1"\n'


@pytest.fixture
def card(bare: Path, stripe_key: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = bare / "card.toml"
    file.write_text(CARD)
    monkeypatch.setenv("METERPOST_RATE_CARD", str(file))
    return file


def found(command: Command) -> list[tuple[str, str, str]]:
    findings = command("doctor", "--json").json["findings"]
    return [(one["severity"], one["text"], one["remedy"]) for one in findings if one["name"] == "rate card"]


def test_without_a_card_that_is_said(command: Command):
    assert found(command) == [("fine", "none: units of rows are not checked (METERPOST_RATE_CARD)", "")]


def test_what_stripe_lacks_is_a_warning_with_the_command(command: Command, card: Path):
    lacks = "Stripe lacks meter calls, product meterpost_calls, price calls_1"
    assert found(command) == [("warning", lacks, f"meterpost ratecard apply {card}")]


def test_what_stripe_has_is_fine(command: Command, card: Path):
    command("ratecard", "apply", str(card))
    assert found(command) == [("fine", "1 metrics, and Stripe has their meters and prices", "")]


def test_a_price_that_differs_is_a_warning_with_both_amounts(command: Command, card: Path):
    command("ratecard", "apply", str(card))
    card.write_text(CARD.replace("0.0025", "0.003"))
    ((severity, text, _),) = found(command)
    assert severity == "warning"
    assert "the price calls_1 at Stripe differs: it asks $0.0025 a unit in usd, the card $0.003 a unit in usd" in text


def test_a_card_that_cannot_be_read_is_a_failure(command: Command, card: Path):
    card.write_text(CARD.replace("price", "prise").replace("usd", "USD"))
    ((severity, text, remedy),) = found(command)
    assert (severity, remedy.partition(";")[0]) == ("failure", f"meterpost ratecard check {card}")
    assert "METERPOST_RATE_CARD: currency: 'USD' is no currency that Stripe charges in;" in text


def test_a_stripe_that_is_away_is_said(command: Command, card: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
    ((severity, text, _),) = found(command)
    assert (severity, text.partition(":")[0]) == ("warning", "could not be compared with Stripe")

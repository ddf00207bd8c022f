"""A rate card is checked, shown, and brought to a real sandbox: once, after any crash, and never over what differs."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.guarded import ROOT
from local.sandbox import ask_sandbox
from service import settings
from service.gateway import Gateway, StripeRefused
from service.ratecard import load
from service.ratecard.applying import compare, create_missing

EXAMPLE = str(ROOT / "examples" / "ratecard.toml")
CARD = """\
currency = "usd"
[[metrics]]
metric = "calls"
unit = "call"
price = "0.0025"
"""
PARTS = ("/v1/billing/meters", "/v1/products", "/v1/prices")
Command = Callable[..., Any]


@dataclass(frozen=True)
class Shop:
    """The command, and the Stripe that it speaks to."""

    command: Command
    sandbox: Any
    key: str

    @property
    def account(self) -> str:
        return f"acct_{self.key.rpartition('_')[2]}"

    def apply(self, file: object, *options: str) -> tuple[int, list[str]]:
        ran = self.command("ratecard", "apply", str(file), *options, "--json")
        return ran.code, [f"{part['kind']} {part['state']}" for part in json.loads(ran.out)["parts"]]

    def creations(self) -> int:
        calls = ask_sandbox(self.sandbox.url, f"/_sandbox/audit/calls?account={self.account}&limit=1000")["data"]
        return sum(call["method"] == "POST" for call in calls)

    def fault(self, kind: str, path: str) -> None:
        self.sandbox.fault(kind=kind, path=path, account=self.account, method="POST", times=1)


@pytest.fixture
def shop(command: Command, sandbox_server: Any, stripe_key: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("METERPOST_CALLS_PER_S", "10000")
    return Shop(command=command, sandbox=sandbox_server, key=stripe_key)


@pytest.fixture
def card(bare: Path) -> Path:
    file = bare / "card.toml"
    file.write_text(CARD)
    return file


def test_the_example_has_no_mistakes(command: Command):
    ran = command("ratecard", "check", EXAMPLE)
    assert (ran.code, ran.err) == (0, "4 metrics, no mistakes\n")


def test_mistakes_are_findings(command: Command, card: Path):
    card.write_text(CARD.replace("price", "prise"))
    ran = command("ratecard", "check", str(card), "--json")
    assert (ran.code, ran.json["ok"], [problem["path"] for problem in ran.json["problems"]]) == (
        3,
        False,
        ["metrics[0].prise"],
    )
    assert "did you mean price?" in command("ratecard", "check", str(card)).out
    assert "metrics[0].prise: is not a key" in command("ratecard", "show", str(card)).err


def test_support_sees_what_usage_costs(command: Command):
    (told,) = command("ratecard", "show", EXAMPLE, "--metric", "api_requests", "--json").json["rates"]
    costs = {cost["usage"]: cost["cost"] for cost in told["costs"]}
    assert costs == {
        "0": "$0.00",
        "1": "$0.00",
        "100000": "$0.00",
        "100001": "$0.00",
        "250000": "$30.00",
        "1000000": "$180.00",
        "1000001": "$180.00",
        "3000000": "$480.00",
    }
    shown = [" ".join(line.split()) for line in command("ratecard", "show", EXAMPLE).out.splitlines()]
    assert "api_requests 250,000 request typical $30.00 month" in shown


def test_support_may_ask_for_a_usage_of_its_own(command: Command):
    asked = ["--metric", "emails_sent", "--usage", "2500", "--usage", "0.5"]
    (told,) = command("ratecard", "show", EXAMPLE, *asked, "--json").json["rates"]
    assert [(cost["usage"], cost["amount"], cost["exact"]) for cost in told["costs"]] == [
        ("0.5", 150, "$1.50"),
        ("2500", 450, "$4.50"),
    ]


@pytest.mark.parametrize("usage", ["-1", "many", "1e9", "NaN"])
def test_a_usage_that_is_none_is_refused(command: Command, usage: str):
    assert command("ratecard", "show", EXAMPLE, "--usage", usage).code == 2


def test_a_metric_that_the_card_lacks_is_a_sentence(command: Command):
    ran = command("ratecard", "show", EXAMPLE, "--metric", "emails")
    assert (ran.code, "the card has no metric emails; it has api_requests" in ran.err) == (1, True)


def test_what_is_missing_is_created_once(shop: Shop):
    first = shop.apply(EXAMPLE)
    creations = shop.creations()
    again = shop.apply(EXAMPLE)
    assert first == (0, ["meter created", "product created", "price created"] * 4)
    assert (creations, again, shop.creations()) == (12, (0, ["meter exists", "price exists"] * 4), 12)


def test_a_dry_run_creates_nothing(shop: Shop, card: Path):
    assert shop.apply(card, "--dry-run") == (3, ["meter missing", "product missing", "price missing"])
    assert shop.creations() == 0


@pytest.mark.parametrize("path", PARTS)
@pytest.mark.parametrize("kind", ["reply_lost", "error_before", "connection_reset", "bad_gateway_after"])
def test_a_run_that_breaks_off_anywhere_is_finished_by_the_next(shop: Shop, card: Path, kind: str, path: str):
    shop.fault(kind, path)
    broken = shop.command("ratecard", "apply", str(card))
    finished, _ = shop.apply(card)
    assert (broken.code, finished) == (1, 0)
    assert shop.apply(card) == (0, ["meter exists", "price exists"])
    assert [(rate.event_name, rate.formula) for rate in Gateway(settings.load()).list_meters()] == [("calls", "sum")]


def test_two_who_apply_at_once_create_each_part_once(shop: Shop, card: Path):
    found = compare(load(card), Gateway(settings.load()))
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(lambda: list(create_missing(found[0], Gateway(settings.load())))) for _ in range(4)]
    refused = [run.exception() for run in runs if run.exception() is not None]
    assert all(isinstance(one, StripeRefused) for one in refused)
    assert shop.apply(card)[0] == 0
    assert len(Gateway(settings.load()).list_meters()) == 1


def test_what_was_created_is_told_though_stripe_fails_at_the_next(shop: Shop, card: Path):
    shop.fault("error_before", "/v1/prices")
    ran = shop.command("ratecard", "apply", str(card))
    assert [line.split()[1:4:2] for line in ran.out.splitlines()[1:]] == [["meter", "created"], ["product", "created"]]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (('"0.0025"', '"0.003"'), "it asks $0.0025 a unit in usd, the card $0.003 a unit in usd"),
        (("price = ", "included = 5\nprice = "), "the card graduated: to 5 $0.00 a unit; beyond $0.0025 a unit in usd"),
        (("unit = ", 'reset = "year"\nunit = '), "its interval is 1 month, the card's reset year"),
        (('"calls"', '"other_calls"'), "it bills another meter than other_calls"),
    ],
)
def test_a_price_that_differs_is_said_and_never_replaced(shop: Shop, card: Path, changed: tuple[str, str], told: str):
    card.write_text(CARD + 'lookup_key = "calls_1"\n')
    shop.apply(card)
    card.write_text(CARD.replace(*changed) + 'lookup_key = "calls_1"\n')
    before = [part for part in shop.apply(card, "--dry-run")[1] if part.startswith("price")]
    ran = shop.command("ratecard", "apply", str(card))
    assert (ran.code, before) == (3, ["price differs"])
    assert told in ran.out
    assert "a price never changes: give the rate another lookup_key" in ran.out


def test_another_lookup_key_is_another_price(shop: Shop, card: Path):
    shop.apply(card)
    card.write_text(CARD.replace("0.0025", "0.003") + 'lookup_key = "calls_2"\n')
    assert shop.apply(card) == (0, ["meter exists", "product exists", "price created"])


def test_nothing_is_priced_on_a_meter_that_differs(shop: Shop, card: Path):
    shop.command("meter", "create", "calls", "--formula", "count")
    creations = shop.creations()
    assert shop.apply(card) == (3, ["meter differs", "product missing", "price waits"])
    assert shop.creations() == creations

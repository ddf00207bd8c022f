"""Stripe's events as a person reads them, has them applied again, and catches up with them."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import stripe

from local.guarded import ROOT
from service.gateway import API_VERSION
from service.ledger import accounts

Command = Callable[..., Any]
Tell = Callable[..., str]
WHY = ("--reason", "a test says so", "--actor", "ada")
ENDS_S_MAX = 30


@pytest.fixture
def tell(books: Any) -> Tell:
    """An event as the door or the catch-up would have recorded it."""

    def told(event_id: str, type_: str = "invoice.created", **said: Any) -> str:
        usual = {"state": "received", "object_id": "in_1", "deliveries": 1, "found_by": None, "reason": None}
        usual |= {"failures": 0, "missed_at": None} | said
        usual["due_at"] = "now" if usual["state"] == "received" else None
        body = json.dumps({"id": event_id, "object": "event", "type": type_}).encode()
        columns = {"account": "default", "event_id": event_id, "type": type_, "is_live": False} | usual
        columns |= {"created_at": "now", "body": body}
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        with psycopg.connect(books.url) as tx:
            tx.execute(f"INSERT INTO event ({names}) VALUES ({places})".encode(), list(columns.values()))
        return event_id

    return told


@pytest.fixture
def shop(ledger: str, queue: str, sandbox_server: Any, monkeypatch: pytest.MonkeyPatch) -> stripe.StripeClient:
    """A Stripe account that the settings name."""
    key = sandbox_server.new_account()
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("STRIPE_API_BASE", sandbox_server.url)
    monkeypatch.setenv("REDIS_URL", queue)
    return stripe.StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": sandbox_server.url})


def _ids(ran: Any) -> list[str]:
    return [event["event_id"] for event in ran.json["events"]]


def test_the_newest_event_is_listed_first(command: Command, tell: Tell) -> None:
    tell("evt_1")
    tell("evt_2")

    assert _ids(command("events", "list", "--json")) == ["evt_2", "evt_1"]


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--type", "invoice.created"], ["evt_1"]),
        (["--type", "customer.*"], ["evt_2"]),
        (["--state", "failed"], ["evt_2"]),
        (["--object", "in_1"], ["evt_1"]),
        (["--missed"], ["evt_3"]),
        (["--since", "1h"], ["evt_3", "evt_2", "evt_1"]),
        (["--until", "1h"], []),
        (["--type", "*"], ["evt_3", "evt_2", "evt_1"]),
    ],
)
def test_a_filter_finds_what_fits(command: Command, tell: Tell, options: list[str], ids: list[str]) -> None:
    tell("evt_1")
    tell("evt_2", "customer.updated", object_id="cus_1", state="failed", reason="no field", failures=10)
    tell("evt_3", "price.created", object_id="price_1", deliveries=0, found_by="catch_up", missed_at="now")

    assert _ids(command("events", "list", "--json", *options)) == ids


def test_a_page_goes_on_where_the_last_one_ended(command: Command, tell: Tell) -> None:
    for number in range(3):
        tell(f"evt_{number}")
    first = command("events", "list", "--json", "--limit", "2")

    second = command("events", "list", "--json", "--limit", "2", "--after", first.json["after"])

    assert (_ids(first), _ids(second), second.json["after"]) == (["evt_2", "evt_1"], ["evt_0"], None)


def test_a_list_says_how_an_event_came(command: Command, tell: Tell) -> None:
    tell("evt_1", deliveries=2)
    tell("evt_2", deliveries=0, found_by="catch_up")

    listed = command("events", "list").out
    assert "pushed 2 times" in listed
    assert "found in Stripe's list, never pushed" in listed


def test_an_event_is_shown_with_its_failures_and_what_persons_did(command: Command, tell: Tell, books: Any) -> None:
    tell("evt_1", state="failed", reason="no field", failures=10)
    books.execute("INSERT INTO event_failure VALUES ('default', 'evt_1', 1, now(), 'it was away')")
    command("events", "replay", "evt_1", *WHY)

    story = command("events", "show", "evt_1", "--json").json

    assert [failure["reason"] for failure in story["failures"]] == ["it was away"]
    assert [(one["verb"], one["actor"], one["reason"]) for one in story["actions"]] == [("replay", "ada", WHY[1])]
    assert "failed: it was away" in command("dead", "show", "ev-evt_1").out


def test_an_event_is_shown_with_links_to_stripe(command: Command, tell: Tell, books: Any) -> None:
    with psycopg.connect(books.url) as tx:
        accounts.pin_account(tx, "default", stripe_account="acct_1", is_live=False)
    tell("evt_1")

    assert command("events", "show", "evt_1", "--json").json["dashboard"] == {
        "event": "https://dashboard.stripe.com/acct_1/test/events/evt_1",
        "object": "https://dashboard.stripe.com/acct_1/test/invoices/in_1",
    }


def test_what_stripe_said_is_shown_when_it_is_asked_for(command: Command, tell: Tell) -> None:
    tell("evt_1")

    assert json.loads(command("events", "show", "evt_1", "--body", "--json").json["body"])["id"] == "evt_1"
    assert "body" not in command("events", "show", "evt_1", "--json").json


def test_an_unknown_event_says_where_to_look(command: Command, ledger: str) -> None:
    ran = command("events", "show", "evt_none")

    assert (ran.code, "events catch-up" in ran.err) == (1, True)


@pytest.mark.parametrize("state", ["applied", "ignored", "failed"])
def test_a_replayed_event_is_due_again(command: Command, tell: Tell, state: str) -> None:
    tell("evt_1", state=state, reason="no field", failures=10)

    ran = command("events", "replay", "evt_1", *WHY, "--json")

    assert (ran.json["done"], ran.json["answer"]["before"], ran.json["answer"]["after"]) == (True, state, "received")
    assert _ids(command("events", "list", "--state", "received", "--json")) == ["evt_1"]


def test_a_replay_asked_twice_is_one(command: Command, tell: Tell) -> None:
    tell("evt_1", state="applied")
    command("events", "replay", "evt_1", *WHY)

    assert command("events", "replay", "evt_1", *WHY, "--json").json["done"] is False
    assert len(command("dead", "audit", "--json").json["actions"]) == 1


def test_what_a_person_discarded_is_not_replayed(command: Command, tell: Tell) -> None:
    tell("evt_1", state="failed", reason="no field")
    command("dead", "discard", "ev-evt_1", *WHY)

    assert command("events", "replay", "evt_1", *WHY, "--json").json["done"] is False


def test_all_failed_events_of_a_type_are_replayed(command: Command, tell: Tell) -> None:
    tell("evt_1", state="failed", reason="no field")
    tell("evt_2", "customer.updated", state="failed", reason="no field")
    tell("evt_3", state="applied")

    ran = command("events", "replay", "--failed", "--type", "invoice.*", *WHY, "--json")

    assert (ran.json["replayed"], [one["letter"] for one in ran.json["answers"]]) == (1, ["ev-evt_1"])


@pytest.mark.parametrize("asked", [[], ["evt_1", "--failed"], ["evt_1", "--type", "invoice.*"]])
def test_a_replay_says_what_it_wants(command: Command, ledger: str, asked: list[str]) -> None:
    assert command("events", "replay", *asked, *WHY).code == 2


def test_a_range_is_caught_up_with_and_says_what_was_found(command: Command, shop: stripe.StripeClient) -> None:
    shop.v1.customers.create({"name": "Ada"})

    first, again = (command("events", "catch-up", "--since", "2d", "--json").json for _ in range(2))

    assert [(one["stream"], one["listed"], one["found"]) for one in first["streams"]] == [("v1", 1, 1), ("v2", 0, 0)]
    assert [one["found"] for one in again["streams"]] == [0, 0]
    assert "found in Stripe's list" in command("events", "list").out


def test_what_stripe_keeps_no_more_is_said(command: Command, shop: stripe.StripeClient) -> None:
    ran = command("events", "catch-up", "--since", "40d")

    assert (ran.code, "the last 30 days" in ran.err) == (0, True)


def test_a_key_of_another_account_is_refused(command: Command, shop: stripe.StripeClient, books: Any) -> None:
    with psycopg.connect(books.url) as tx:
        accounts.pin_account(tx, "default", stripe_account="acct_other", is_live=False)

    ran = command("events", "catch-up")

    assert (ran.code, "acct_other" in ran.err) == (2, True)


@pytest.fixture
def tail(ledger: str) -> Iterator["subprocess.Popen[str]"]:
    """A terminal's `events tail`, until Ctrl-C."""
    script = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"
    asked = [sys.executable, "-u", "-c", script, "events", "tail", "--json", "--interval", "0.1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(asked, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as following:
        assert following.stderr is not None
        following.stderr.readline()  # it follows from here on
        yield following
        following.kill()


def test_new_events_are_followed_until_ctrl_c(tail: "subprocess.Popen[str]", tell: Tell) -> None:
    assert tail.stdout is not None
    tell("evt_1")
    told = json.loads(tail.stdout.readline())["event_id"]
    tail.send_signal(signal.SIGINT)

    assert (told, tail.wait(ENDS_S_MAX)) == ("evt_1", 0)

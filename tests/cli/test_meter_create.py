"""A meter is created from the command line once, and what is there already is said."""

from collections.abc import Callable
from typing import Any

import pytest

Command = Callable[..., Any]
METERS = "/v1/billing/meters"


def test_a_meter_is_created_once(command: Command, stripe_key: str):
    first = command("meter", "create", "seats", "--formula", "last", "--display-name", "Seats in use")
    again = command("meter", "create", "seats", "--formula", "last", "--json").json
    assert (first.code, first.err) == (0, "seats (last) was created\n")
    assert (again["what"], again["meter"]["stripe_id"], again["differences"]) == ("exists", first.out.strip(), [])
    assert len(command("meter", "list", "--json").json["meters"]) == 1


def test_a_meter_of_another_formula_is_said_and_left_alone(command: Command, stripe_key: str):
    command("meter", "create", "seats")
    ran = command("meter", "create", "seats", "--formula", "count")
    assert ran.code == 3
    assert "its formula is sum, which never changes; take another event name for count" in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["API calls"], "is not a meter's event_name; 1 to 100 of a-z, 0-9 and _"),
        (["seats", "--formula", "mean"], "'mean' is not one of 'sum', 'count', 'last'"),
        (["seats", "--display-name", ""], "--display-name: give 1 to 250 characters"),
    ],
)
def test_what_stripe_would_refuse_is_refused_before(command: Command, stripe_key: str, arguments: list[str], told: str):
    ran = command("meter", "create", *arguments)
    assert ran.code == 2
    assert told in " ".join(ran.err.replace("│", " ").split())


def test_a_lost_answer_is_no_second_meter(command: Command, stripe_key: str, sandbox_server: Any):
    account = f"acct_{stripe_key.rpartition('_')[2]}"
    sandbox_server.fault(kind="reply_lost", path=METERS, account=account, method="POST", times=1)
    assert command("meter", "create", "seats").code == 1
    assert command("meter", "create", "seats", "--json").json["what"] == "exists"

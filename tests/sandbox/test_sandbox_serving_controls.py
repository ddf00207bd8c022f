"""The sandbox's own controls: each told with a sentence, each refusing what it does not understand by its field."""

from typing import Any

import pytest
import requests


def test_the_controls_are_listed_with_a_sentence_each(shared_sandbox: Any) -> None:
    told = requests.get(f"{shared_sandbox.url}/_sandbox", timeout=10).json()["controls"]
    assert {("POST", "/_sandbox/reset"), ("GET", "/_sandbox")} <= {(each["method"], each["path"]) for each in told}
    assert [each for each in told if not each["says"].endswith(".")] == []


@pytest.mark.parametrize(
    ("control", "asked", "field"),
    [
        ("clock", {"advance": "soon"}, "advance"),
        ("clock", {"advance": 1, "to": 2}, "advance"),
        ("clock", {"frozen": "maybe"}, "frozen"),
        ("clock", {"leap": 1}, "leap"),
        ("settings", {"limits": "some"}, "limits"),
        ("settings", {"no_such_setting": 1}, "no_such_setting"),
        ("keys", {}, "key"),
        ("keys", {"key": 7}, "key"),
        ("keys", {"key": "sk_x", "livemode": "perhaps"}, "livemode"),
        ("events", {"type": "a.b"}, "object"),
        ("events", {"type": "a.b", "object": []}, "object"),
        ("deliver", {"event": "evt_none"}, "event"),
        ("deliver", {"event": "evt_none", "times": -1}, "times"),
        ("reset", {"account": 7}, "account"),
    ],
)
def test_a_control_names_the_field_that_is_wrong(shared_sandbox: Any, control: str, asked: Any, field: str) -> None:
    answer = requests.post(f"{shared_sandbox.url}/_sandbox/{control}", json=asked, timeout=10)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert answer.json()["error"].startswith(field)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"a":' * 100_000], ids=["open", "list", "utf8", "deep"])
def test_a_control_refuses_a_body_that_is_no_object(shared_sandbox: Any, body: bytes) -> None:
    answer = requests.post(f"{shared_sandbox.url}/_sandbox/clock", body, timeout=10)
    assert (answer.status_code, "body" in answer.json()["error"]) == (400, True)


def test_a_refused_change_changes_nothing(own_sandbox: Any) -> None:
    asked = {"frozen": True, "advance": -1}
    assert requests.post(f"{own_sandbox.url}/_sandbox/clock", json=asked, timeout=10).status_code == 400
    assert own_sandbox.control("GET", "clock")["frozen"] is False


def test_a_reset_forgets_everything_of_one_account_but_its_keys(own_shop: Any) -> None:
    own_shop.settings(limits="live")
    own_shop.fault("latency")
    customer = own_shop.customer()
    own_shop.sandbox.control("POST", "reset", account=own_shop.account)
    assert own_shop.v1.customers.list().data == []
    assert own_shop.audit()["calls"] == 1
    assert own_shop.sandbox.control("GET", "faults")["data"] == []
    assert own_shop.sandbox.control("GET", "settings", account=own_shop.account)["limits"] == "off"
    assert own_shop.customer() == customer  # ids begin anew too


def test_a_reset_leaves_other_accounts_as_they_are(own_shop: Any) -> None:
    other = own_shop.sandbox.shop()
    customer = other.customer()
    own_shop.sandbox.control("POST", "reset", account=own_shop.account)
    assert other.v1.customers.retrieve(customer).id == customer
    other.http.close()


def test_what_was_to_happen_before_a_reset_is_heard_by_nobody(own_shop: Any, receiver: Any) -> None:
    own_shop.sandbox.control("POST", "clock", frozen=True)
    own_shop.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.created"]})
    meter = own_shop.meter()
    own_shop.subscription(own_shop.customer(), own_shop.price(meter).id)
    own_shop.sandbox.control("POST", "reset", account=own_shop.account)
    own_shop.sandbox.control("POST", "clock", advance=40 * 86_400)
    assert receiver.wait(0) == []

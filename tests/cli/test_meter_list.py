"""The meters at Stripe."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

Command = Callable[..., Any]
KEYS = ["stripe_id", "event_name", "formula", "customer_key", "value_key", "event_time_window", "is_active"]


def _make_meter(url: str, key: str, **parameters: str) -> Any:
    form = {"display_name": "x", "default_aggregation[formula]": "sum"} | parameters
    request = urllib.request.Request(f"{url}/v1/billing/meters", data=urlencode(form).encode())
    request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_meters_are_listed_with_the_keys_that_their_payload_has(
    command: Command, stripe_key: str, sandbox_server: Any
) -> None:
    keys = {"customer_mapping[event_payload_key]": "customer_id", "customer_mapping[type]": "by_id"}
    own = _make_meter(sandbox_server.url, stripe_key, event_name="tokens", **keys)

    (meter,) = command("meter", "list", "--json").json["meters"]

    assert list(meter) == KEYS
    assert list(meter.values()) == [own["id"], "tokens", "sum", "customer_id", "value", None, True]


def test_people_get_a_table(command: Command, stripe_key: str, sandbox_server: Any) -> None:
    _make_meter(sandbox_server.url, stripe_key, event_name="tokens")

    assert command("meter", "list").out.splitlines()[1].split()[:2] == ["tokens", "sum"]


def test_a_key_that_stripe_refuses_is_a_sentence(
    command: Command, stripe_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_c4n4ryc4n4ryc4n4ry")

    ran = command("meter", "list")

    assert ran.code == 1
    assert "401" in ran.err
    assert "c4n4ryc4n4ry" not in ran.err

"""Bodies of the shapes that other libraries of Stripe's test with, written anew: all are accepted and kept."""

import json
from datetime import UTC, datetime

import pytest

from service.event_bodies import parse_lacking

SHAPES = {
    "of the first API": {
        "id": "evt_00000000000000", "object": "event", "type": "charge.succeeded", "created": 1326853478,
        "livemode": False, "pending_webhooks": 0, "data": {"object": {"id": "ch_00000000000000", "object": "charge"}},
    },
    "of an API that named its user and its request by id": {
        "id": "evt_2", "object": "event", "api_version": "2013-08-13", "type": "customer.subscription.created",
        "created": 1380000000, "livemode": False, "user_id": "acct_1", "request": "iar_1", "pending_webhooks": 1,
        "data": {"object": {"id": "su_1", "object": "subscription", "plan": {"id": "gold", "amount": 500}}},
    },
    "of Connect": {
        "id": "evt_3", "object": "event", "account": "acct_of_somebody", "api_version": "2026-10-28.endive",
        "type": "account.application.deauthorized", "created": 1790000000, "livemode": False,
        "data": {"object": {"id": "ca_1", "object": "application", "name": "shop"}},
    },
    "of Connect, thin": {
        "id": "evt_4", "object": "v2.core.event", "context": "acct_of_somebody", "type": "v2.core.account.updated",
        "created": "2026-09-21T10:00:00.000Z", "livemode": False, "related_object": None, "reason": None,
    },
    "thin, of an event destination of one's own": {
        "id": "evt_65UPwPFd1ZHFA4Gv16R16TdX", "object": "v2.core.event", "type": "v2.core.event_destination.ping",
        "created": "2026-09-21T10:00:00.123456Z", "livemode": True, "context": None, "snapshot_event": "evt_5",
        "related_object": {"id": "ed_test_1", "type": "v2.core.event_destination", "url": "/v2/core/x"},
    },
    "about something without an id": {
        "id": "evt_6", "object": "event", "type": "balance.available", "created": 1790000000, "livemode": False,
        "data": {"object": {"object": "balance", "available": []}}, "request": {"id": None, "idempotency_key": None},
    },
    "with what was before": {
        "id": "evt_7", "object": "event", "type": "customer.updated", "created": 1790000000, "livemode": False,
        "data": {"object": {"id": "cus_1"}, "previous_attributes": {"email": None, "metadata": {"a": "b"}}},
    },
    "about what was deleted": {
        "id": "evt_8", "object": "event", "type": "customer.deleted", "created": 1790000000, "livemode": False,
        "data": {"object": {"id": "cus_1", "object": "customer", "deleted": True}},
    },
    "with data of another kind": {
        "id": "evt_9", "object": "event", "type": "ping", "created": 1790000000, "livemode": False, "data": [],
    },
    "without data, in letters of the world": {
        "id": "evt_10", "object": "event", "type": "a.b", "created": 1790000000, "livemode": False, "näme": "日本",
    },
}  # fmt: skip
LACKING = {
    "of a library's own test of signatures": {"id": "evt_test_webhook", "object": "event"},
    "of a framework's test of a type": {"id": "evt_11", "type": "invoice.payment_succeeded", "data": {"object": {}}},
    "without a mode": {"id": "evt_12", "object": "event", "type": "a.b", "created": 1790000000},
    "without a time": {"id": "evt_13", "object": "event", "type": "a.b", "livemode": False},
    "without a kind": {"id": "evt_14", "type": "a.b", "created": 1790000000, "livemode": False},
    "thin and without a mode": {
        "id": "evt_15", "object": "v2.core.event", "type": "a.b", "created": "2026-09-21T10:00:00Z",
    },
}  # fmt: skip
NOW = datetime(2026, 9, 21, 10, tzinfo=UTC)


def _named(shapes):
    return pytest.mark.parametrize("shape", shapes.values(), ids=shapes.keys())


@_named(SHAPES)
def test_an_event_of_any_age_and_account_is_received_and_kept_as_it_came(door, shape):
    body = json.dumps(shape, ensure_ascii=False, indent=2).encode()

    answer = door.post(body)

    assert (answer.status_code, door.ask("SELECT body, state FROM event")) == (200, [(body, "received")])


@_named(LACKING)
@pytest.mark.parametrize("is_live", [True, False])
def test_an_event_that_lacks_fields_is_kept_and_ignored_in_the_ledger_s_mode(door, shape, is_live):
    shape = shape | ({"livemode": is_live} if "livemode" in shape else {})
    door.ask(f"INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', {is_live})")

    answer = door.post(json.dumps(shape).encode())

    kept = door.ask("SELECT state, due_at, is_live, reason LIKE 'its envelope lacks %' FROM event")
    assert (answer.status_code, kept) == (200, [("ignored", None, is_live, True)])


def test_what_an_event_lacks_is_named_and_nothing_of_it_is_guessed():
    read = parse_lacking(b'{"id": "evt_1", "object": "event"}', received_at=NOW)

    assert (read.type, read.created_at, read.is_live) == ("untyped", NOW, None)
    assert read.lacking == "its envelope lacks type, created, livemode"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"object": "event"}',
        b'{"id": "foo", "type": "a.b"}',
        b'{"id": "evt_1", "livemode": "false"}',
        b'{"id": "evt_1", "created": "soon"}',
        b'{"id": "evt_1", "type": null}',
        b'{"id": "evt_1", "object": "customer"}',
        b'{"id": "evt_1", "object": "event", "type": "a", "created": 1, "livemode": false}',
    ],
)
def test_what_has_no_id_or_a_wrong_field_lacks_more_than_fields(body):
    assert parse_lacking(body, received_at=NOW) is None

"""What the door lets in, what it refuses, and what is left of either in the ledger."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from service.webhook_secrets import parse_secret


def fingerprint(secret):
    return parse_secret(secret).fingerprint


def test_a_genuine_event_is_answered_200_and_recorded(door, event):
    answer = door.post(event())

    assert (answer.status_code, answer.text) == (200, "OK\n")
    assert door.events() == [("evt_1", 1, "received")]


def test_the_bytes_that_were_signed_are_kept(door, event):
    body = event(data={"object": {"id": "cus_1", "metadata": {"odd": "\u0000"}}}) + b"\n"

    door.post(body)

    assert door.ask("SELECT body, object_id, is_live FROM event") == [(body, "cus_1", False)]


def test_the_same_event_five_times_at_once_is_one_event_with_five_deliveries(door, event):
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: door.post(event()), range(5)))

    assert {answer.status_code for answer in answers} == {200}
    assert door.events() == [("evt_1", 5, "received")]


@pytest.mark.parametrize(("secret", "status"), [("whsec_new", 200), ("whsec_old", 200), ("whsec_third", 400)])
def test_while_secrets_rotate_both_are_good_and_no_third_is(door, event, sign, secret, status):
    body = event()

    assert door.post(body, sign(body, secret=secret)).status_code == status


def test_which_secret_signed_the_first_and_the_newest_delivery_is_kept(door, event, sign):
    door.post(event(), sign(event(), secret="whsec_old"))
    door.post(event(), sign(event(), secret="whsec_new"))

    kept = door.ask("SELECT verified_by, last_verified_by, delivered_at < last_delivered_at FROM event")
    assert kept == [(fingerprint("whsec_old"), fingerprint("whsec_new"), True)]


def test_an_event_found_before_it_was_pushed_has_its_first_delivery_later(door, event):
    door.ask(
        "INSERT INTO event (account, event_id, type, is_live, created_at, body, deliveries, found_by)"
        " VALUES ('default', 'evt_1', 'customer.created', false, now(), '', 0, 'catch_up')"
    )

    door.post(event())

    kept = door.ask("SELECT deliveries, verified_by, delivered_at = last_delivered_at FROM event")
    assert kept == [(1, fingerprint("whsec_new"), True)]


def test_what_was_delivered_first_never_changes(door, event):
    door.post(event())

    with pytest.raises(psycopg.IntegrityError, match="delivered first never changes"):
        door.ask("UPDATE event SET verified_by = '00000000'")


@pytest.mark.parametrize("ahead_s", [-301, 310])
def test_a_stale_or_future_webhook_gets_400_and_leaves_no_event(door, event, sign, ahead_s):
    answer = door.post(event(), sign(event(), at=time.time() + ahead_s))

    assert (answer.status_code, door.events()) == (400, [])


@pytest.mark.parametrize("header", ["", "t=1", "v1=00", "t=1,t=2,v1=00", "t=1,v1=é", "t=1" + ",v1=00" * 10_000, "\x00"])
def test_a_malformed_signature_gets_400_and_leaves_no_event(door, event, header):
    answer = door.post(event(), header)

    assert (answer.status_code, door.events()) == (400, [])


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b'{"id": 1}'])
def test_signed_bytes_that_are_no_event_get_400_and_leave_none(door, body):
    answer = door.post(body)

    assert (answer.status_code, door.events()) == (400, [])


def test_every_refusal_says_the_same_and_nothing_of_what_was_sent(door, event):
    answers = [door.post(event(), "t=1,v1=00"), door.post(b"reflect me"), door.post(event(), "nonsense")]

    assert {(answer.text, answer.mimetype) for answer in answers} == {("Bad Request\n", "text/plain")}


@pytest.mark.parametrize("pinned", [True, False])
def test_an_event_of_the_other_mode_is_refused_and_not_recorded(door, event, pinned):
    door.ask(f"INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', {pinned})")

    answer = door.post(event(livemode=not pinned))

    assert (answer.status_code, door.events()) == (400, [])


def test_an_event_before_an_account_is_pinned_is_recorded(door, event):
    assert door.post(event(livemode=True)).status_code == 200


def test_snapshot_and_thin_events_come_through_one_route(door, event):
    door.post(event(id="evt_snapshot"))
    door.post(event(id="evt_thin", object="v2.core.event", created="2026-11-20T00:00:05.000Z"))

    assert [event_id for event_id, _, _ in door.events()] == ["evt_snapshot", "evt_thin"]


def test_an_unknown_type_gets_200(door, event):
    assert door.post(event(type="a.type.of.tomorrow")).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options", "head"])
def test_any_other_method_gets_405(door, method):
    answer = getattr(door.client, method)("/stripe/webhook")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/stripe/webhook/", "/stripe//webhook", "/static/app.js", "/<script>"])
def test_any_other_path_gets_404_and_no_redirect(door, event, path):
    answer = door.client.post(path, data=event())

    assert (answer.status_code, answer.text) == (404, "Not Found\n")


def test_a_body_past_the_limit_gets_413_before_its_signature_is_looked_at(door):
    answer = door.post(b" " * (256 * 1024 + 1), "nonsense")

    assert (answer.status_code, door.events()) == (413, [])


def test_without_the_ledger_stripe_is_asked_to_send_again(closed_door, event, sign):
    answer = closed_door.post("/stripe/webhook", data=event(), headers={"Stripe-Signature": sign(event())})

    assert (answer.status_code, answer.text) == (503, "Service Unavailable\n")


def test_no_log_line_carries_a_secret_a_signature_or_a_body(door, event, caplog):
    caplog.set_level(logging.DEBUG)
    door.post(event(data={"object": {"id": "cus_1", "email": "ada@example.com"}}))
    door.post(event(), "t=1,v1=abcdef")

    lines = json.dumps([record.getMessage() for record in caplog.records])
    assert "event.received" in lines
    assert not any(hidden in lines for hidden in ("whsec_", "abcdef", "ada@example.com"))

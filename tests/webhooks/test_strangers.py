"""What the door refuses: counted, sampled, and neither in the books nor in memory without end."""

import json
import logging
from http.client import HTTPConnection
from socket import create_connection

import pytest

from service.ledger import Ledger
from webhooks.strangers import Reason, Strangers, Told

COUNTS = "SELECT reason, requests FROM stranger ORDER BY reason"


@pytest.fixture
def strangers(door):
    return door.strangers


def test_each_refusal_is_counted_by_its_reason(door, event, sign, strangers):
    door.post(event(), "nonsense")
    door.post(event(), sign(event(), secret="whsec_third"))
    door.post(event(), sign(event(), at=0))
    door.post(b"{}")
    door.post(b" " * (256 * 1024 + 1))
    door.client.get("/stripe/webhook")
    door.client.get("/wp-login.php")
    strangers.write()

    reasons = ["forged", "malformed", "method", "no_event", "path", "stale", "too_large"]
    assert door.ask(COUNTS) == [(reason, 1) for reason in reasons]


def test_the_other_mode_is_counted(door, event, strangers):
    door.ask("INSERT INTO account (account, stripe_account, is_live) VALUES ('default', 'acct_1', true)")

    door.post(event())
    strangers.write()

    assert door.ask(COUNTS) == [("other_mode", 1)]


def test_five_of_an_hour_and_reason_are_kept_whatever_comes(door, event, strangers):
    for number in range(20):
        door.post(b"body %d" % number, "nonsense")
    strangers.write()
    door.post(b"later", "nonsense")
    strangers.write()

    kept = door.ask("SELECT n, body, content_length, signature, remote_address FROM stranger_sample ORDER BY n")
    assert kept == [(n, f"body {n - 1}", 6, "nonsense", "127.0.0.1") for n in range(1, 6)]


def test_two_doors_share_the_room_for_samples(door, strangers):
    ledger = Ledger(door.database_url)
    other = Strangers(ledger, "default")
    for _ in range(5):
        other.count(Reason.PATH, lambda: Told(remote_address="192.0.2.1"))
        strangers.count(Reason.PATH, lambda: Told(remote_address="192.0.2.2"))
    other.close()
    strangers.write()
    ledger.close()

    assert door.ask("SELECT count(*) FROM stranger_sample") == [(5,)]
    assert door.ask(COUNTS) == [("path", 10)]


def test_what_a_stranger_wrote_is_kept_short_and_harmless(door, strangers):
    body = b"\x00\xff\x1b[2J whsec_c4n4ry sk_live_c4n4ry " + b"x" * 10_000

    door.post(body, "t=" + "9" * 1_000)
    strangers.write()

    ((signature, kept),) = door.ask("SELECT signature, body FROM stranger_sample")
    assert (len(signature), len(kept) < 600, kept[:15]) == (200, True, "\\x00\\xff\\x1b[2J")
    assert "c4n4ry" not in kept


def test_old_counts_and_samples_are_let_go(door, strangers):
    door.post(b"", "nonsense")
    strangers.write()
    door.ask("UPDATE ledger_clock SET ahead_by = '36 days'")
    door.client.get("/elsewhere")
    strangers.write()

    assert door.ask(COUNTS) == [("path", 1)]
    assert door.ask("SELECT reason FROM stranger_sample") == [("path",)]


def test_the_log_has_one_line_a_reason_however_many_come(door, strangers, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(100):
        door.post(b"", "nonsense")
    strangers.write()

    (line,) = [record.msg for record in caplog.records if "stranger.refused" in record.getMessage()]
    assert (line["reason"], line["requests"]) == ("malformed", 100)


def test_what_the_ledger_cannot_take_now_is_counted_on(door, strangers):
    door.ask("ALTER TABLE stranger RENAME TO elsewhere")
    door.post(b"", "nonsense")
    strangers.write()
    door.ask("ALTER TABLE elsewhere RENAME TO stranger")
    door.post(b"", "nonsense")
    strangers.write()

    assert door.ask(COUNTS) == [("malformed", 2)]
    assert door.ask("SELECT count(*) FROM stranger_sample") == [(2,)]


def test_counts_are_written_without_being_asked(door):
    ledger = Ledger(door.database_url)
    strangers = Strangers(ledger, "default", write_every_s=0)

    strangers.count(Reason.PATH, lambda: Told(remote_address=""))
    strangers._timer.join()
    ledger.close()

    assert door.ask(COUNTS) == [("path", 1)]


def test_what_is_no_http_gets_400_and_is_counted_when_the_door_closes(gunicorn, stop_gunicorn):
    with create_connection(("127.0.0.1", gunicorn.port)) as connection:
        connection.sendall(b"<script> HTTP/9.9\r\n\r\n")
        answer = connection.makefile("rb").read()
    stop_gunicorn()

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"script" not in answer
    assert gunicorn.door.ask(COUNTS) == [("garbled", 1)]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Transfer-Encoding": "chunked"}, b"zz\r\n"),
        ({"Transfer-Encoding": "chunked"}, b"5\r\nab"),
        ({"Transfer-Encoding": "gzip, chunked"}, b"0\r\n\r\n"),
        ({"Transfer-Encoding": "whatever"}, b""),
        ({"Expect": "a miracle"}, b""),
        ({"Content-Length": "5", "Transfer-Encoding": "chunked"}, b"0\r\n\r\n"),
    ],
)
def test_a_body_that_is_none_gets_400_and_no_5xx(gunicorn, headers, body):
    connection = HTTPConnection("127.0.0.1", gunicorn.port, timeout=30)
    connection.putrequest("POST", "/stripe/webhook")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)

    assert connection.getresponse().status == 400
    connection.close()


def test_no_sample_is_what_a_log_line_carries(door, strangers, caplog):
    caplog.set_level(logging.INFO)
    door.post(b"ada@example.com", "t=1,v1=abcdef")
    strangers.write()

    lines = json.dumps([record.getMessage() for record in caplog.records])
    assert not any(hidden in lines for hidden in ("abcdef", "ada@example.com"))

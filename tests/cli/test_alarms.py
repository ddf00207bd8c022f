"""What is wrong with money, on the screen: listed, shown, acknowledged, and posted for a try."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

Command = Callable[..., Any]

ALARMS = """
INSERT INTO alarm (
    account, kind, subject, is_urgent, customer, meter, item, price, stretch_start, rows, units, amount, amount_rounded,
    currency, rated_by, deadline, said, raised_at
) VALUES
    ('default', 'late', 'in_1/cus_1', false, 'cus_1', 'tokens', 'si_1', 'price_1', '2026-03-01Z', 12, 1200000,
        20000.4, 20000, 'usd', 'price_1', NULL, 'the invoice in_1 was final', ledger_now() - interval '5 minutes'),
    ('default', 'late', 'in_2/cus_2', false, 'cus_2', 'tokens', NULL, NULL, NULL, 1, 500,
        500, 500, 'jpy', 'rate card', NULL, 'the invoice in_2 was final', ledger_now() - interval '4 minutes'),
    ('default', 'closing', 'in_3', true, 'cus_3', 'tokens', NULL, NULL, NULL, 2, 2.50,
        NULL, NULL, NULL, NULL, '2026-04-01Z', 'held', ledger_now() - interval '3 minutes')
"""
DIFFERS = """
INSERT INTO alarm (account, kind, subject, is_urgent, rows, units, said)
VALUES ('default', 'differs', 'in_9', false, 0, 7, 'the invoice has 10, the ledger had 17 at Stripe')
"""
CLEARED = "UPDATE alarm SET cleared_at = ledger_now() WHERE subject = 'in_2/cus_2'"


@pytest.fixture
def alarms(books: Any) -> Any:
    books.execute(ALARMS)
    return books


@pytest.fixture
def receiver() -> Iterator[Any]:
    """Takes what it is told, or answers what a test sets."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.heard.append(
                (self.headers["Meterpost-Signature"], self.rfile.read(int(self.headers["Content-Length"])))
            )
            self.send_response(server.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """A test's output stays its own."""

    server: Any = HTTPServer(("127.0.0.1", 0), Door)
    server.heard, server.status = [], 200
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_urgent_come_first_and_money_is_told_by_its_currency(command: Command, alarms: Any) -> None:
    ran = command("alarms", "list")

    first, second, third = ran.out.splitlines()[1:]
    assert [line.split()[0] for line in (first, second, third)] == ["al-3", "al-1", "al-2"]
    assert "urgent" in first
    assert "$200.00" in second
    assert "¥500" in third


def test_cleared_ones_are_listed_where_they_are_asked_for(command: Command, alarms: Any) -> None:
    alarms.execute(CLEARED)

    kept = command("alarms", "list", "--json").json["alarms"]
    everything = command("alarms", "list", "--all", "--kind", "late", "--json").json["alarms"]

    assert [one["id"] for one in kept] == ["al-3", "al-1"]
    assert [(one["id"], one["state"]) for one in everything] == [("al-1", "open"), ("al-2", "cleared")]


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are(command: Command, ledger: str) -> None:
    ran = command("alarms", "list", "--kind", "fire")

    assert ran.code == 2
    assert "late" in ran.err


def test_a_page_that_is_not_all_says_so(command: Command, alarms: Any) -> None:
    assert command("alarms", "list", "--limit", "2", "--json").json["has_more"]
    assert "there are more" in command("alarms", "list", "--limit", "2").err


def test_where_nothing_is_wrong_it_is_said_how_far_that_goes(command: Command, ledger: str) -> None:
    ran = command("alarms", "list")

    assert ran.code == 0
    assert "as far as anybody has looked" in ran.err


def test_an_alarm_is_shown_with_its_exact_money_and_what_to_do(command: Command, alarms: Any) -> None:
    ran = command("alarms", "show", "al-1")

    assert "$200.00 (exactly $200.004), by price_1" in ran.out
    assert "meterpost late carry" in ran.out
    assert "si_1 at price_1 from 2026-03-01T00:00:00Z" in ran.out
    assert "no price known" in command("alarms", "show", "3").out


def test_json_has_the_exact_part_and_the_rounded(command: Command, alarms: Any) -> None:
    told = command("alarms", "show", "al-1", "--json").json["alarm"]

    assert told["money"] == {
        "amount": 20000,
        "currency": "usd",
        "exact": "20000.4",
        "shown": "$200.00",
        "rated_by": "price_1",
    }
    assert told["units"] == "1200000"


@pytest.mark.parametrize("name", ["me-1", "al-", "al-x", "٣", "9" * 19])
def test_what_is_no_alarm_is_refused(command: Command, ledger: str, name: str) -> None:
    assert command("alarms", "show", name).code == 2


def test_an_alarm_that_there_is_not_is_said(command: Command, ledger: str) -> None:
    ran = command("alarms", "show", "al-99")

    assert ran.code == 1
    assert "there is no alarm al-99" in ran.err


def test_acknowledging_is_kept_with_who_and_why_in_the_chain_and_the_alarm_stays(command: Command, alarms: Any) -> None:
    ran = command("alarms", "acknowledge", "al-1", "--reason", "INC-42", "--actor", "ada", "--json")

    audit = command("dead", "audit", "--json").json
    shown = command("alarms", "show", "al-1").out
    assert ran.json["done"]
    assert (ran.json["alarm"]["state"], ran.json["alarm"]["acknowledged_by"]) == ("acknowledged", "ada")
    assert [(one["verb"], one["subject"], one["reason"]) for one in audit["actions"]] == [
        ("acknowledge", "al-1", "INC-42")
    ]
    assert "by ada: INC-42" in shown


@pytest.mark.parametrize("verb", ["acknowledge", "waive"])
def test_a_persons_word_is_answered_by_a_sentence_and_by_no_line_of_the_log(
    command: Command, alarms: Any, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    alarms.execute(DIFFERS)

    ran = command("alarms", verb, "al-4", "--reason", "INC-42")

    assert (ran.out, ran.err.count("\n"), caplog.records) == ("", 1, [])
    assert ran.err.startswith("al-4  ")


def test_acknowledging_twice_or_what_is_cleared_changes_nothing(command: Command, alarms: Any) -> None:
    alarms.execute(CLEARED)
    command("alarms", "acknowledge", "al-1", "--reason", "a", "--actor", "ada")

    twice = command("alarms", "acknowledge", "al-1", "--reason", "b", "--actor", "eve")
    gone = command("alarms", "acknowledge", "al-2", "--reason", "c")

    assert (twice.code, gone.code) == (0, 0)
    assert "ada has acknowledged it" in twice.err
    assert "it is cleared" in gone.err
    assert len(command("dead", "audit", "--json").json["actions"]) == 1


def test_status_tells_what_is_open_by_kind_with_rows_units_money_and_the_oldest(
    command: Command, queue: str, alarms: Any
) -> None:
    late = "alarm: 2 late: 13 rows, 1,200,500 units, ¥500, $200.00, the oldest since 5 min; see meterpost alarms list"
    closing = "alarm: 1 closing (1 urgent): 2 rows, 2.5 units, 1 with no price known, the oldest since 3 min"

    said = command("status").err
    told = command("status", "--json").json["alarms"]

    assert late in said
    assert closing in said
    assert [(one["kind"], one["alarms"], one["amounts"]) for one in told] == [
        ("closing", 1, {}),
        ("late", 2, {"jpy": 500, "usd": 20000}),
    ]


def test_a_test_alarm_is_posted_signed_and_its_answer_shown(
    command: Command, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _receive(monkeypatch, receiver)

    ran = command("alarms", "test", "--json")

    ((signature, body),) = receiver.heard
    assert (ran.code, ran.json["status"], ran.json["answer"]) == (0, 200, "ok")
    assert signature.startswith("t=")
    assert b'"type": "alarm.test"' in body


def test_a_receiver_that_refuses_a_test_alarm_is_a_failure(
    command: Command, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _receive(monkeypatch, receiver)
    receiver.status = 403

    ran = command("alarms", "test")

    assert ran.code == 1
    assert "did not take it: answered 403: ok" in ran.err


def test_without_an_address_a_test_says_which_setting_is_wanted(command: Command) -> None:
    ran = command("alarms", "test")

    assert ran.code == 2
    assert "METERPOST_ALARM_URL is not set" in ran.err


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("http://example.com/", "made-up-secret-of-the-tests", "https://"),
        ("http://127.0.0.1.example.com/", "made-up-secret-of-the-tests", "https://"),
        ("https://ada:pw@example.com/", "made-up-secret-of-the-tests", "https://"),
        ("ftp://127.0.0.1/", "made-up-secret-of-the-tests", "https://"),
        ("https://[::1/", "made-up-secret-of-the-tests", "https://"),
        ("https://example.com/", "short", "16 or more"),
        ("https://example.com/", "", "METERPOST_ALARM_SECRET is wanted"),
    ],
)
def test_an_address_that_would_tell_others_and_a_secret_that_protects_nothing_are_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch, url: str, secret: str, said: str
) -> None:
    monkeypatch.setenv("METERPOST_ALARM_URL", url)
    monkeypatch.setenv("METERPOST_ALARM_SECRET", secret)

    ran = command("config")

    assert said in ran.out + ran.err
    assert "ada:pw" not in ran.out + ran.err


@pytest.mark.parametrize(
    "url", ["https://example.com/alarms", "http://localhost:1/", "http://[::1]:1/", "http://127.9.9.9/"]
)
def test_addresses_that_nobody_listens_in_on_are_taken(
    command: Command, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("METERPOST_ALARM_URL", url)
    monkeypatch.setenv("METERPOST_ALARM_SECRET", "made-up-secret-of-the-tests")

    ran = command("config")

    assert ran.code == 0
    assert "made-up-secret" not in ran.out + ran.err


def _receive(monkeypatch: pytest.MonkeyPatch, receiver: Any) -> None:
    monkeypatch.setenv("METERPOST_ALARM_URL", f"http://127.0.0.1:{receiver.server_port}/")
    monkeypatch.setenv("METERPOST_ALARM_SECRET", "made-up-secret-of-the-tests")


def test_what_a_person_lives_with_is_kept_with_the_reason_and_said_once(command: Command, alarms: Any) -> None:
    alarms.execute(DIFFERS)

    first = command("alarms", "waive", "al-4", "--reason", "credited", "--actor", "ada", "--json")
    second = command("alarms", "waive", "al-4", "--reason", "again")

    assert (first.json["done"], second.code) == (True, 0)
    assert "nothing to do" in second.err
    assert [one["verb"] for one in command("dead", "audit", "--json").json["actions"]] == ["waive"]
    assert "waive" in command("alarms", "show", "al-4").out


def test_what_has_a_way_of_its_own_is_not_waived_here(command: Command, alarms: Any) -> None:
    ran = command("alarms", "waive", "al-1", "--reason", "no")

    assert ran.code == 1
    assert "meterpost late waive" in ran.err

"""Step 1: what a producer tells, however often and however badly, stands on the books once and with its reason."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from service.ledger import LedgerUnavailable

NOW = datetime.now(UTC)
GOOD = {"row_id": "good", "source": "app", "customer": "cus_1", "meter": "tokens", "value": "1"}
PRODUCER = """
import sys
from meterpost import Meterpost
with Meterpost(sys.argv[1]) as meterpost:
    meterpost.publish_many(
        {"row_id": f"row-{n}", "customer": sys.argv[2], "meter": "tokens", "value": 2, "occurred_at": sys.argv[3]}
        for n in range(500)
    )
"""


def said_of(instant: datetime) -> bytes:
    said = {"row_id": "bad", "customer": "cus_1", "meter": "tokens", "value": 1, "occurred_at": instant.isoformat()}
    return json.dumps(said).encode()


BAD_ROWS = {
    "an unknown column": (
        b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":1,"valeu":2}',
        "did you mean value",
    ),
    "an exponent": (b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":"1.5e3"}', "plain decimal"),
    "16 digits": (
        b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":"1234567890.123456"}',
        "15 significant",
    ),
    "a float": (b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":1.50}', "float"),
    "NaN": (b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":NaN}', "float"),
    "NaN as text": (b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":"NaN"}', "plain decimal"),
    "no customer's id": (b'{"row_id":"bad","customer":"acct_1","meter":"tokens","value":1}', "cus_"),
    "a capital in the meter": (b'{"row_id":"bad","customer":"cus_1","meter":"Tokens","value":1}', "capitals"),
    "a dimension": (b'{"row_id":"bad","customer":"cus_1","meter":"tokens","value":1,"dimensions":{}}', "not supported"),
    "an id of 101 characters": (
        b'{"row_id":"' + b"x" * 101 + b'","customer":"cus_1","meter":"tokens","value":1}',
        "101 characters",
    ),
    "35 days ago": (said_of(NOW - timedelta(days=35)), "too old"),
    "an hour ahead": (said_of(NOW + timedelta(hours=1)), "5 minutes ahead"),
    "no object": (b"[1, 2]", "not an object"),
    "a name told twice": (b'{"value":1,  "value":2.5, "row_id":"bad","customer":"cus_1","meter":"tokens"}', "float"),
}
BAD_MESSAGES = {
    "an empty batch": b'{"schema":"usage.1","rows":[]}',
    "1,001 rows": b'{"schema":"usage.1","rows":[' + b",".join([b"{}"] * 1001) + b"]}",
    "no JSON": b"\xff\xfe\x00 nothing to read",
    "another schema": b'{"schema":"usage.9","rows":[{}]}',
}


def message(*rows: str, sent_at: datetime = NOW) -> bytes:
    return f'{{"schema":"usage.1","sent_at":"{sent_at.isoformat()}","rows":[{",".join(rows)}]}}'.encode()


def books(path):
    return path.ask(
        "SELECT sum(rows), sum(recorded), sum(duplicates), sum(conflicts), sum(quarantined), sum(messages) FROM intake"
    )[0]


def test_the_same_rows_pushed_three_times_and_from_two_processes_at_once_are_billed_once(path, an_hour_ago):
    path.make_meter("tokens")
    customer = path.make_customer()
    told = [sys.executable, "-c", PRODUCER, path.settings.broker_url, customer, an_hour_ago.isoformat()]
    producers = [subprocess.Popen(told) for _ in range(2)]
    assert [producer.wait(20) for producer in producers] == [0, 0]
    assert subprocess.run(told, check=False, timeout=20).returncode == 0

    path.walk()

    assert path.counted() == {(customer, "tokens"): "1000"}
    assert books(path) == (1500, 500, 1000, 0, 0, 3)


def test_two_recorders_at_once_record_each_row_once(path, another_recorder):
    rows = [json.dumps(GOOD | {"row_id": f"row-{n}"}) for n in range(200)]
    path.put(*[message(*rows), message(*reversed(rows))] * 10)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(until_empty, recorder) for recorder in (path.recorder, another_recorder)]
    assert sum(recording.result() for recording in both) == 20

    assert books(path) == (4000, 200, 3800, 0, 0, 20)
    assert path.ask("SELECT count(*) FROM entry") == [200]


def until_empty(recorder) -> int:
    recorded = 0
    while found := recorder.record_some():
        recorded += found
    return recorded


def test_the_same_id_with_another_value_is_a_conflict_that_keeps_both_and_counts_the_first(path):
    path.put(message(json.dumps(GOOD)))
    path.record()
    path.put(message(json.dumps(GOOD | {"value": "2"})))
    path.put(message(json.dumps(GOOD | {"value": "2"})))
    path.record()

    assert path.ask("SELECT value FROM entry") == [1]
    assert path.ask("SELECT value FROM row_conflict") == [2]
    assert books(path) == (3, 1, 0, 2, 0, 3)


def test_within_one_message_too_the_first_of_an_id_counts_and_the_other_is_a_conflict(path):
    path.put(message(json.dumps(GOOD), json.dumps(GOOD), json.dumps(GOOD | {"value": "7"})))

    path.record()

    assert path.ask("SELECT value FROM entry") == [1]
    assert path.ask("SELECT value FROM row_conflict") == [7]
    assert books(path) == (3, 1, 1, 1, 0, 1)


def test_the_same_id_of_another_source_is_another_row(path):
    path.put(message(json.dumps(GOOD), json.dumps(GOOD | {"source": "import"})))

    path.record()

    assert path.ask("SELECT source FROM entry ORDER BY source") == ["app", "import"]


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_kept_byte_for_byte_with_its_reason_and_the_rows_beside_it_are_recorded(path, name):
    raw, reason = BAD_ROWS[name]
    path.put(message(json.dumps(GOOD), raw.decode(), json.dumps(GOOD | {"row_id": "beside"})))

    path.record()

    assert path.ask("SELECT row_id FROM entry ORDER BY row_id") == ["beside", "good"]
    ((kept, said),) = path.ask("SELECT raw, field || ' ' || reason FROM quarantine")
    assert kept == raw
    assert reason in said
    assert books(path) == (3, 2, 0, 0, 1, 1)


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_is_kept_byte_for_byte_and_stops_nothing(path, name):
    path.put(BAD_MESSAGES[name], message(json.dumps(GOOD)))

    path.record()

    assert path.ask("SELECT raw FROM quarantine") == [BAD_MESSAGES[name]]
    assert path.ask("SELECT row_id FROM entry") == ["good"]


@pytest.mark.parametrize("content_type", ["application/x-\x00python", "application/\ud800", "text/plain", 7])
def test_a_message_that_calls_itself_something_else_is_kept_whatever_it_calls_itself(path, put_as, content_type):
    put_as(content_type, b"cos\nsystem\n")

    assert sum(path.record() for _ in range(10)) == 1

    assert path.ask("SELECT count(*) FROM quarantine WHERE reason LIKE 'not JSON but %%'") == [1]
    assert path.queue.depth().unacked == 0


def test_the_same_bad_bytes_again_are_one_dead_letter_on_books_that_balance(path):
    path.put(message("{}", "{}"))
    path.record()
    path.put(message("{}"))
    path.record()

    assert path.ask("SELECT raw FROM quarantine") == [b"{}"]
    assert books(path) == (3, 0, 0, 0, 3, 2)


def test_the_same_bad_bytes_sent_at_another_time_are_another_dead_letter_with_its_time(path):
    earlier = NOW - timedelta(days=4)
    path.put(message("{}"), message("{}", sent_at=earlier), message("{}"))

    path.record()

    assert path.ask("SELECT raw, sent_at FROM quarantine ORDER BY sent_at") == [(b"{}", earlier), (b"{}", NOW)]


def test_a_message_that_tells_no_readable_time_is_one_dead_letter_without_one(path):
    path.put(*[b'{"schema":"usage.1","sent_at":"soon","rows":[{}]}'] * 2)

    path.record()

    assert path.ask("SELECT raw, sent_at FROM quarantine") == [(b"{}", None)]


def test_a_crash_between_commit_and_ack_changes_nothing(path, another_recorder, recorder_that_dies_before_its_ack):
    path.put(message(json.dumps(GOOD)))
    recorder_that_dies_before_its_ack.record_some()
    assert path.ask("SELECT count(*) FROM entry") == [1]
    recorder_that_dies_before_its_ack.close()

    assert another_recorder.record_some() == 1

    assert path.ask("SELECT row_id FROM entry") == ["good"]
    assert books(path) == (2, 1, 1, 0, 0, 2)


def test_nothing_is_acknowledged_while_the_ledger_is_away(path):
    path.put(message(json.dumps(GOOD)))
    with psycopg.connect(path.settings.database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
    with pytest.raises(LedgerUnavailable):
        path.record()

    path.ledger._pool.check()  # as after a pause: connections that broke are replaced
    assert path.queue.depth().unacked == 1
    assert path.record() == 1
    assert path.ask("SELECT row_id FROM entry") == ["good"]


def test_a_row_that_tells_no_time_took_place_when_its_message_was_sent(path):
    path.put(message(json.dumps(GOOD)))

    path.record()

    assert path.ask("SELECT occurred_at FROM entry") == [NOW]

"""Step 2 for `count` and `last` meters, for meters that cannot be sealed, and for two sealers at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

from service.ledger import sealing
from service.timing import FAST


def test_a_count_meter_gets_one_meter_event_an_entry_at_the_entrys_own_second(books):
    books.meter(formula="count")
    books.record(*[books.row("cus_1", 1, at=books.hour + timedelta(seconds=9, milliseconds=n)) for n in range(3)])

    assert books.seal() == 3

    assert books.sent("stamped_at", "entries", "minute") == [(books.hour + timedelta(seconds=9), 1, None)] * 3


def test_a_last_meter_gets_the_last_entry_of_a_bucket_at_its_own_time(books):
    books.meter(formula="last")
    books.record(*[books.row("cus_1", value, at=at) for value, at in [(1, 10), (9, 200), (2, 100), (5, 300)]])

    assert books.seal() == 2

    assert books.sent("value", "entries", "stamped_at") == [
        (9, 3, books.hour + timedelta(seconds=200)),
        (5, 1, books.hour + timedelta(seconds=300)),
    ]


def test_a_late_value_that_is_superseded_already_is_on_the_books_and_not_sent(books):
    books.meter(formula="last")
    books.record(books.row("cus_1", 9, at=200))
    books.seal()
    books.record(books.row("cus_1", 1, at=100))

    books.seal()

    assert books.sent("value", "state", "due_at IS NULL") == [(1, "confirmed", True), (9, "sealed", False)]


def test_a_late_value_of_the_same_second_that_is_superseded_is_not_sent_either(books):
    books.meter(formula="last")
    books.record(books.row("cus_1", 9, at=books.hour + timedelta(seconds=200, milliseconds=700)))
    books.seal()
    books.record(books.row("cus_1", 1, at=books.hour + timedelta(seconds=200, milliseconds=300)))

    books.seal()

    assert books.sent("value", "state") == [(9, "sealed"), (1, "confirmed")]


def test_a_late_value_that_is_the_latest_is_sent(books):
    books.meter(formula="last")
    books.record(books.row("cus_1", 1, at=100))
    books.seal()
    books.record(books.row("cus_1", 9, at=200))

    books.seal()

    assert books.sent("value", "state") == [(1, "sealed"), (9, "sealed")]


def test_each_billing_period_within_a_bucket_has_its_own_last_value(books):
    books.meter(formula="last")
    books.edges("cus_1", 150)
    books.record(books.row("cus_1", 1, at=100), books.row("cus_1", 9, at=200))
    books.seal()
    books.record(books.row("cus_1", 2, at=149))

    books.seal()

    assert books.sent("value", "state") == [(1, "sealed"), (2, "sealed"), (9, "sealed")]


def test_a_meters_own_payload_keys_and_the_plain_value_are_what_stripe_is_told(books):
    books.meter(customer_key="who", value_key="how_much")
    books.record(books.row("cus_1", "1.50", at=0), books.row("cus_1", "98.50", at=1))

    books.seal()

    assert books.sent("payload") == [{"who": "cus_1", "how_much": "100"}]


def test_a_large_or_small_value_is_told_without_an_exponent(books):
    books.meter()
    books.record(books.row("cus_1", 10**14, at=0), books.row("cus_2", Decimal("0.000000000001"), at=0))

    books.seal()

    assert sorted(payload["value"] for payload in books.sent("payload")) == ["0.000000000001", "100000000000000"]


def test_rows_of_an_inactive_or_unknown_or_overwriting_meter_are_told_apart(books):
    books.meter("gone", is_active=False)
    books.meter("overwriting", event_time_window="hour")
    books.meter("good")
    for meter in ["gone", "overwriting", "good", "never_heard_of"]:
        books.record(books.row("cus_1", 1, at=0, meter=meter))

    with books.ledger.transaction() as tx:
        due = sealing.lanes_to_seal(tx, timing=FAST)

    assert {lane.meter: (lane.is_meter_known, lane.is_sealable) for lane in due} == {
        "gone": (True, False),
        "overwriting": (True, False),
        "good": (True, True),
        "never_heard_of": (False, False),
    }


def test_two_sealers_at_once_seal_each_entry_once(books):
    books.meter()
    customers = [books.customer() for _ in range(40)]
    books.record(*[books.row(customer, 1, at=at) for customer in customers for at in (0, 300, 600)])

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: sum(books.seal() for _ in range(5)), range(2)))

    assert sum(made) == 120
    assert books.ask("SELECT sum(entries) FROM meter_event") == [120]
    assert books.ask("SELECT count(*) FROM entry WHERE meter_event_id IS NULL") == [0]


def test_sealing_leaves_no_bell_behind_and_a_late_row_rings_it_again(books):
    books.meter()
    books.record(books.row("cus_1", 1, at=0))
    books.seal()
    assert books.ask("SELECT count(*) FROM unsealed") == [0]

    books.record(books.row("cus_1", 2, at=0))

    assert books.ask("SELECT count(*) FROM unsealed") == [1]


def test_a_crash_before_the_commit_leaves_the_entries_to_be_sealed_again(books):
    books.meter()
    books.record(books.row("cus_1", 1, at=0))
    lane_ids = books.ask("SELECT lane_id FROM lane")
    with books.ledger.transaction() as tx:
        assert sealing.seal(tx, lane_ids, timing=FAST)[0].meter_events == 1
        tx.rollback()

    assert books.seal() == 1

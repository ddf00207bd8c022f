"""Step 2 for `sum` meters: which entries become one meter event, at what time, and in which minute."""

from bisect import bisect_right
from datetime import timedelta
from decimal import Context, Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXACT = Context(prec=60)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places, EXACT),
    st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1),
    st.integers(min_value=0, max_value=12),
)
SECONDS = st.integers(min_value=0, max_value=3599)


def digits(value):
    return len(format(abs(value).normalize(EXACT), "f").lstrip("0.").replace(".", ""))


def test_a_buckets_entries_become_one_meter_event_that_owns_a_minute_of_the_bucket(books):
    books.meter()
    books.record(*[books.row("cus_1", "0.5", at=second) for second in (300, 400, 599)])

    assert books.seal() == 1

    assert books.sent("value", "entries", "stamped_at", "minute") == [
        (Decimal("1.5"), 3, books.hour + timedelta(minutes=5), books.hour + timedelta(minutes=5))
    ]


def test_late_entries_make_the_next_meter_event_with_a_minute_of_its_own(books):
    books.meter()
    for value in range(1, 8):
        books.record(books.row("cus_1", value, at=0))
        books.seal()

    assert books.sent("value") == [1, 2, 3, 4, 5, 6, 7]
    minutes = [books.hour + timedelta(minutes=minute) for minute in range(7)]
    assert books.sent("minute") == minutes


def test_nothing_is_sealed_before_its_bucket_is_over(books):
    books.meter()
    (now,) = books.ask("SELECT ledger_now()")
    books.record(books.row("cus_1", 1, at=now + timedelta(minutes=4)))

    assert books.seal() == 0

    books.write("UPDATE ledger_clock SET ahead_by = interval '10 minutes'")
    assert books.seal() == 1


def test_a_sum_of_exactly_zero_is_confirmed_without_a_call(books):
    books.meter()
    books.record(books.row("cus_1", "1.5", at=0), books.row("cus_1", "-1.5", at=1))

    books.seal()

    assert books.sent("state", "value", "entries", "due_at") == [("confirmed", 0, 2, None)]
    assert books.ask("SELECT due_at FROM lane") == [None]


def test_a_bucket_breaks_at_a_periods_edge_also_at_a_second_that_is_no_minute(books):
    books.meter()
    books.edges("cus_1", 100)
    books.record(books.row("cus_1", 1, at=99), books.row("cus_1", 2, at=100), books.row("cus_1", 4, at=299))

    books.seal()

    assert books.sent("value", "stamped_at") == [
        (1, books.hour),
        (6, books.hour + timedelta(seconds=120)),
    ]


def test_a_period_that_begins_in_the_last_minute_of_an_hour_shares_its_time_and_stays_in_its_period(books):
    books.meter()
    books.edges("cus_1", 3570)
    books.record(books.row("cus_1", 1, at=3569), books.row("cus_1", 2, at=3570))

    books.seal()

    assert books.sent("value", "stamped_at", "minute") == [
        (1, books.hour + timedelta(minutes=55), books.hour + timedelta(minutes=55)),
        (2, books.hour + timedelta(seconds=3570), None),
    ]


def test_more_meter_events_than_an_hour_has_minutes_share_their_time(books):
    books.meter()
    for _ in range(63):
        books.record(books.row("cus_1", 1, at=1800))
        books.seal()

    assert len(set(books.sent("minute")) - {None}) == 60
    assert (
        books.ask("SELECT stamped_at FROM meter_event WHERE minute IS NULL") == [books.hour + timedelta(minutes=30)] * 3
    )


def test_an_hours_minutes_that_are_not_over_are_not_owned_yet(books):
    books.meter()
    (now,) = books.ask("SELECT date_trunc('minute', ledger_now())")
    books.write("UPDATE ledger_clock SET ahead_by = %s", books.hour + timedelta(minutes=7, seconds=30) - now)
    for _ in range(9):
        books.record(books.row("cus_1", 1, at=0))
        books.seal()

    assert max(minute for minute in books.sent("minute") if minute) <= books.hour + timedelta(minutes=9)
    assert books.sent("minute").count(None) <= 1


@FEW
@given(values=st.lists(VALUES, min_size=1, max_size=12))
def test_a_value_never_has_more_than_15_digits_and_the_sums_are_exact(books, values):
    customer = books.customer()
    books.meter()
    books.record(*[books.row(customer, value, at=0) for value in values])

    books.seal(customer)

    told = books.ask("SELECT value, payload FROM meter_event JOIN lane USING (lane_id) WHERE customer = %s", customer)
    assert all(digits(value) <= 15 for value, _ in told)
    assert all(Decimal(payload["value"]) == value for value, payload in told)
    assert total([value for value, _ in told]) == total(values)


def total(values):
    whole = Decimal(0)
    for value in values:
        whole = EXACT.add(whole, value)
    return whole


@FEW
@given(
    edges=st.lists(st.integers(min_value=-600, max_value=4200), max_size=4),
    rounds=st.lists(st.lists(SECONDS, min_size=1, max_size=30), min_size=1, max_size=4),
)
def test_every_meter_event_stands_in_the_hour_and_the_period_of_its_entries_and_owns_its_minute(books, edges, rounds):
    customer = books.customer()
    books.meter()
    books.edges(customer, *edges)
    for seconds in rounds:
        books.record(*[books.row(customer, 1, at=second) for second in seconds])
        books.seal(customer)

    placed = of_customer(books, customer)
    assert sum(value for _, _, _, value in placed) == sum(map(len, rounds))
    for stamped, minute, entries_at, _ in placed:
        assert {period(edges, second) for second in entries_at} == {period(edges, stamped)}
        assert 0 <= stamped < 3600
        assert minute in {None, stamped}
        assert minute is None or minute % 60 == 0
    shared = [stamped for stamped, minute, _, _ in placed if minute is None]
    assert all(no_minute_is_free(edges, stamped, {minute for _, minute, _, _ in placed}) for stamped in shared)


def of_customer(books, customer):
    """Of each meter event, in seconds after the hour: its time, its minute, its entries' times; and its value."""
    return books.ask(
        "SELECT extract(epoch FROM stamped_at - %s)::int, extract(epoch FROM minute - %s)::int,"
        " array_agg(extract(epoch FROM occurred_at - %s)::int), m.value"
        " FROM meter_event AS m JOIN lane USING (lane_id) JOIN entry USING (meter_event_id)"
        " WHERE customer = %s GROUP BY meter_event_id",
        *[books.hour] * 3,
        customer,
    )


def period(edges, second):
    return bisect_right(sorted(set(edges)), second)


def no_minute_is_free(edges, stamped, owned):
    return all(minute in owned for minute in range(0, 3600, 60) if period(edges, minute) == period(edges, stamped))

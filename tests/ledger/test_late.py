"""Usage whose invoice is final without it: sealed as refused, never sent, and before a person."""

import psycopg
import pytest

from service.ledger.connection import sql

LATE = "late: the invoice in_1, which bills its time, was final at"


@pytest.fixture
def stretch(books):
    """A stretch of a customer's on tokens, from and to so many seconds after the books' hour."""

    def put(customer, *, since=-3600, until=3600, closed=True, item="si_1", is_trial=False):
        books.write(
            "INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id,"
            " is_trial, invoice, closed_at) SELECT 'default', %s, 'price_1', h + %s * interval '1 s',"
            " h + %s * interval '1 s', 'sub_1', %s, 'mtr_tokens', %s, CASE WHEN %s THEN 'in_1' END,"
            " CASE WHEN %s THEN h + (%s + 60) * interval '1 s' END FROM (SELECT %s::timestamptz AS h) AS hour",
            *(item, since, until, customer, is_trial, closed, closed, until, books.hour),
        )

    return put


@pytest.fixture
def late(books):
    """What the alarm's question answers."""

    def ask(*columns):
        with books.ledger.transaction() as tx:
            asked = tx.execute(sql("alarming_late"), {"account": "default", "urgent_within": None})
            names = [column.name for column in asked.description]
            return [tuple(dict(zip(names, row, strict=True))[column] for column in columns) for row in asked]

    return ask


def told(books, customer, *values, formula="sum", at=0):
    books.meter(formula=formula)
    books.record(*(books.row(customer, value, at=at) for value in values))
    books.seal(customer)


def test_usage_of_a_time_whose_invoice_is_final_is_refused_and_not_sent(books, stretch):
    stretch("cus_1")
    told(books, "cus_1", 2, 3)

    ((state, reason, due_at, minute, value),) = books.sent("state", "reason", "due_at", "minute", "value")
    assert (state, due_at, minute, value) == ("refused", None, None, 5)
    assert reason.startswith(LATE)
    assert books.ask("SELECT due_at FROM lane") == [None]


@pytest.mark.parametrize("formula", ["sum", "count", "last"])
def test_it_stands_on_the_desk_whatever_the_formula(books, stretch, desk, formula):
    stretch("cus_1")
    told(books, "cus_1", 2, formula=formula)

    assert desk.classes() == ["refused"]
    assert books.ask("SELECT state FROM late_meter_event") == ["refused"]


def test_the_alarm_is_one_line_an_invoice_and_lane(books, stretch, late):
    stretch("cus_1")
    told(books, "cus_1", 2, 3)
    told(books, "cus_1", 4, at=600)

    assert late("subject", "rows", "units", "invoice", "item", "is_urgent") == [
        ("in_1/cus_1/tokens", 3, 9, "in_1", "si_1", False)
    ]


def test_usage_that_another_subscription_still_bills_is_not_late(books, stretch, late):
    stretch("cus_1")
    stretch("cus_1", closed=False, item="si_2")
    told(books, "cus_1", 2)

    assert books.sent("state") == ["sealed"]
    assert late("subject") == []


def test_nothing_is_late_for_a_trial(books, stretch):
    stretch("cus_1", is_trial=True)
    told(books, "cus_1", 2)
    assert books.sent("state") == ["sealed"]


def test_a_sum_of_zero_is_not_late(books, stretch, late):
    stretch("cus_1")
    told(books, "cus_1", 2, -2)
    assert (books.sent("state"), late("subject")) == (["confirmed"], [])


@pytest.mark.parametrize("closes", ["before", "after"])
def test_what_stripe_took_after_the_invoice_was_final_is_late(books, stretch, late, closes):
    told(books, "cus_1", 2)
    if closes == "before":
        stretch("cus_1")
    accept(books, started="ledger_now()")
    if closes == "after":
        stretch("cus_1")

    assert late("subject", "units") == [("in_1/cus_1/tokens", 2)]


@pytest.mark.parametrize("closes", ["before", "after"])
def test_what_stripe_may_have_taken_before_is_not_called_late(books, stretch, late, closes):
    told(books, "cus_1", 2)
    if closes == "before":
        stretch("cus_1")
    accept(books, started="ledger_now() - interval '3 hours'")
    if closes == "after":
        stretch("cus_1")

    assert late("subject") == []


def test_what_was_refused_before_its_invoice_was_final_is_late_as_well(books, a_meter_event, stretch, late):
    a_meter_event("refused")
    (customer,) = books.ask("SELECT customer FROM lane")
    stretch(customer)
    assert late("subject") == [(f"in_1/{customer}/tokens",)]


def test_what_a_person_discarded_is_late_no_more(books, stretch, late, desk):
    stretch("cus_1")
    told(books, "cus_1", 2)
    desk.discarded(f"me-{books.sent('meter_event_id')[0]}")
    assert late("subject") == []


def test_a_retry_says_that_it_would_be_billed_on_no_invoice(books, stretch, desk):
    stretch("cus_1")
    told(books, "cus_1", 2)
    (made,) = books.sent("meter_event_id")

    answer = desk.retried(f"me-{made}")

    assert answer.text.startswith(LATE)
    assert answer.text.endswith(f"it would be billed on no invoice; run meterpost late carry me-{made}")
    assert books.sent("state", "generation") == [("refused", 1)]


def test_what_came_too_late_stays_on_the_books(books, stretch):
    told(books, "cus_1", 2)
    stretch("cus_1")
    accept(books, started="ledger_now()")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="stays on the books"):
        books.write("DELETE FROM late_usage")


def accept(books, *, started):
    """Stripe takes the only meter event by a call that was begun then."""
    books.write(
        "INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, started_at, ended_at,"
        f" outcome) SELECT lane_id, meter_event_id, 1, identifier, 1, {started}, ledger_now(), 'accepted'"
        " FROM meter_event JOIN generation USING (meter_event_id, generation)"
    )
    books.write("UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = ledger_now()")

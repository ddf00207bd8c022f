"""Late usage at the command line."""

import psycopg
import pytest

from service.ledger import sealing
from service.meters import Meter
from service.timing import FAST

STRETCHES = """
    INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id, is_trial,
        invoice, closed_at)
    SELECT 'default', 'si_1', 'price_1', now() + s.since, now() + s.until, 'sub_1', 'cus_1', 'mtr_1', false, s.invoice,
        CASE WHEN s.invoice IS NOT NULL THEN now() - interval '1 hour' END
    FROM (VALUES (interval '-9 days', interval '-1 day', 'in_1'), (interval '-1 day', interval '9 days', NULL))
        AS s (since, until, invoice)
"""
PRICE = """
    INSERT INTO mirror (account, kind, object_id, as_of, is_deleted, facts, object)
    VALUES ('default', 'price', 'price_1', now(), false, '{}', '{"id": "price_1", "object": "price", "currency": "usd",
        "created": 1767225600, "active": true, "billing_scheme": "tiered", "tiers_mode": "graduated",
        "recurring": {"usage_type": "metered", "meter": "mtr_1", "interval": "month"},
        "tiers": [{"up_to": 5, "unit_amount": 100}, {"up_to": null, "unit_amount": 0}]}')
"""
METER = Meter(
    stripe_id="mtr_1",
    event_name="api_requests",
    formula="sum",
    customer_key="stripe_customer_id",
    value_key="value",
    event_time_window=None,
    is_active=True,
)


@pytest.fixture
def late(books, usage_row):
    """Seven units in two rows that were told after their invoice was final; the letter."""
    books.execute(STRETCHES)
    with psycopg.connect(books.url) as tx:
        (ago,) = tx.execute("SELECT date_bin('1 hour', now() - interval '2 days', 'epoch')").fetchone()
    books.record(*(usage_row(f"row-{n}", value=n, occurred_at=ago.isoformat()) for n in (3, 4)))
    books.execute("UPDATE unsealed SET seal_at = now() - interval '1 hour'")
    with psycopg.connect(books.url) as tx:
        sealing.put_meters(tx, "default", [METER])
        (lane,) = tx.execute("SELECT lane_id FROM lane").fetchone()
        sealing.seal(tx, [lane], timing=FAST)
        return f"me-{tx.execute('SELECT meter_event_id FROM meter_event').fetchone()[0]}"


def entries(books):
    with psycopg.connect(books.url) as tx:
        return tx.execute("SELECT row_id, value FROM entry WHERE source = 'meterpost'").fetchall()


def test_late_usage_is_listed_by_invoice_and_lane(command, late):
    ran = command("late", "list", "--json")

    (line,) = ran.json["late"]
    assert (ran.code, line["subject"], line["rows"], line["units"]) == (0, "in_1/cus_1/api_requests", 2, "7")
    assert "does not have it" in command("late", "list").out


def test_an_empty_list_says_so(command, ledger):
    ran = command("late", "list")
    assert (ran.code, ran.err.strip()) == (0, "nothing is late")


def test_a_dry_run_says_what_would_be_and_changes_nothing(command, books, late):
    ran = command("late", "carry", late, "--reason", "an outage", "--dry-run")

    assert "late → carried: 7 units of 2 rows" in ran.err
    assert "nothing was changed" in ran.err
    assert entries(books) == []


def test_what_it_is_worth_is_said_of_the_period_that_missed_it_and_of_that_of_now(command, books, usage_row, late):
    books.execute(PRICE)
    books.record(usage_row("row-now", value=5))

    ran = command("late", "carry", late, "--reason", "an outage", "--dry-run")
    told = command("late", "carry", late, "--reason", "an outage", "--json").json["money"]

    assert "missing on its invoice: $5.00" in ran.err
    assert "billed in the period of now: $0.00" in ran.err
    assert told == {"missed": {"amount": 500, "currency": "usd"}, "carried": {"amount": 0, "currency": "usd"}}


def test_what_is_waived_is_told_with_what_its_invoice_lacks(command, books, late):
    unpriced = command("late", "waive", late, "--reason", "an outage", "--dry-run").err
    books.execute(PRICE)

    assert "missing on its invoice: no price is known" in unpriced
    assert "missing on its invoice: $5.00" in command("late", "waive", late, "--reason", "an outage").err


def test_late_usage_is_carried_once(command, books, late):
    first = command("late", "carry", "in_1/cus_1/api_requests", "--reason", "an outage", "--json")
    second = command("late", "carry", late, "--reason", "an outage", "--json")

    assert (first.json["done"], second.json["done"]) == (True, False)
    assert entries(books) == [(f"carry-{late}", 7)]


def test_waived_usage_is_listed_no_more(command, late):
    assert command("late", "waive", late, "--reason", "too little").code == 0
    assert command("late", "list", "--json").json == {"late": []}


def test_a_retry_names_the_way_out(command, late, queue, monkeypatch):
    monkeypatch.setenv("REDIS_URL", queue)
    ran = command("dead", "retry", late, "--reason", "again")
    assert ran.code == 1
    assert f"run meterpost late carry {late}" in ran.err


def test_what_is_not_late_cannot_be_carried(command, ledger):
    ran = command("late", "carry", "me-99", "--reason", "why")
    assert ran.code == 1
    assert "nothing of it is late" in ran.err


def test_an_id_of_another_kind_is_refused(command, ledger):
    ran = command("late", "carry", "q-5", "--reason", "why")
    assert ran.code == 2
    assert "names no late usage" in ran.err


@pytest.mark.parametrize(("decide", "said"), [("carry", "had it billed"), ("waive", "left it unbilled")])
def test_the_story_of_late_usage_ends_with_what_a_person_decided(command, late, decide, said):
    command("late", decide, late, "--reason", "an outage")

    told = command("row", "show", "row-3").out

    assert f"Refused: It was late, and a person {said}" in told
    assert "has to look" not in told

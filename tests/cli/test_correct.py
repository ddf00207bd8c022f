"""Corrections at the command line: what it previews, what it refuses, and what it says."""

import psycopg
import pytest

PRICE = (
    '{"id": "price_1", "currency": "usd", "unit_amount_decimal": "2", "unit_amount": 2, "billing_scheme": "per_unit"}'
)
STRETCH = """
    INSERT INTO meter (account, meter, stripe_id, formula, customer_key, value_key, is_active)
    VALUES ('default', 'api_requests', 'mtr_1', 'sum', 'stripe_customer_id', 'value', true);
    INSERT INTO mirror (account, kind, object_id, as_of, is_deleted, facts, object)
    VALUES ('default', 'price', 'price_1', now(), false, '{}', '%s');
    INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id, is_trial)
    VALUES ('default', 'si_1', 'price_1', now() - interval '9 days', now() + interval '9 days', 'sub_1', 'cus_1',
        'mtr_1', false)
"""
KNOWN_PRICE = """
    UPDATE mirror SET facts = '{"meter_stripe_id": "mtr_1", "usage_type": "metered", "is_active": true}'
    WHERE kind = 'price'
"""
CARD = 'currency = "usd"\n[[metrics]]\nmetric = "api_requests"\nunit = "request"\nprice = 0.5\n'
REASON = ("--reason", "a test export")


@pytest.fixture
def row(books, usage_row):
    """Three units of a customer whose price is two cents."""
    books.execute(STRETCH % PRICE)
    books.record(usage_row("row-1", value=3))
    return "row-1"


def entries(books):
    with psycopg.connect(books.url) as tx:
        return tx.execute("SELECT source, value FROM entry ORDER BY entry_id").fetchall()


def test_a_preview_tells_units_period_and_money_and_changes_nothing(command, books, row):
    ran = command("correct", row, "--to", "1", *REASON, "--dry-run")

    assert ran.code == 0
    assert "units:   3 → 1" in ran.out
    assert "period:  3 → 1 units" in ran.out
    assert "money:   $0.06 → $0.02" in ran.out
    assert "why:     only a part is changed" in ran.out
    assert "a dry run: nothing was changed" in ran.err
    assert entries(books) == [("app", 3)]


def test_what_nobody_bills_is_worth_what_its_alarm_says(command, books, row, bare, monkeypatch):
    books.execute("DELETE FROM stretch")
    unpriced = command("correct", row, "--to", "1", *REASON, "--dry-run").out
    books.execute(KNOWN_PRICE)
    by_price = command("correct", row, "--to", "1", *REASON, "--dry-run").out
    (bare / "card.toml").write_text(CARD)
    monkeypatch.setenv("METERPOST_RATE_CARD", str(bare / "card.toml"))

    by_card = command("correct", row, "--to", "1", *REASON, "--dry-run").out

    assert "money:   no price is known" in unpriced
    assert "money:   $0.06 → $0.02 for these units alone, which nobody bills yet" in by_price
    assert "money:   $1.50 → $0.50 for these units alone" in by_card


def test_a_correction_is_a_row_beside_it_once(command, books, row):
    first = command("correct", row, "--by", "-2", *REASON, "--json")
    second = command("correct", row, "--by", "-2", *REASON, "--json")

    assert (first.json["done"], second.json["done"]) == (True, False)
    assert first.json["preview"]["money"] == {"before": 6, "after": 2, "currency": "usd"}
    assert entries(books) == [("app", 3), ("meterpost", -2)]


def test_who_takes_more_than_there_is_is_warned(command, row):
    ran = command("correct", row, "--by", "-5", *REASON)
    assert "warning: the period falls below zero" in ran.out


def test_sources_that_number_alike_are_told_apart(command, books, usage_row, row):
    books.record(usage_row("row-1", value=9, source="exports"))

    refused = command("correct", row, *REASON)
    chosen = command("correct", row, "--source", "exports", *REASON)

    assert refused.code == 1
    assert "several sources have a row row-1: add --source app or exports" in refused.err
    assert chosen.code == 0
    assert entries(books)[-1] == ("meterpost", -9)


def test_a_row_of_another_source_is_named_by_its_own(command, books, usage_row, row):
    ran = command("correct", row, "--source", "other", *REASON)

    assert ran.code == 1
    assert "the ledger knows no row row-1 of other, but one of app" in ran.err
    assert "queue" not in ran.err


def test_what_the_ledger_does_not_know_is_not_corrected(command, ledger):
    assert "knows no row row-9" in command("correct", "row-9", *REASON).err
    assert "nothing of this id" in command("correct", "me-9", *REASON).err


def test_a_correction_is_by_or_to(command, row):
    ran = command("correct", row, "--by", "1", "--to", "1", *REASON)
    assert ran.code == 2
    assert "not both" in ran.err


def test_units_are_exact(command, row):
    assert command("correct", row, "--by", "1e3", *REASON).code == 2


def test_a_row_tells_what_corrected_it_and_a_correction_what_it_corrects(command, row):
    command("correct", row, "--by", "-2", *REASON, "--actor", "ada")
    (made,) = command("row", "show", row, "--json").json["corrections"]

    assert f"corrected by ada: a test export; -2 units, as row {made['row_id']}" in command("row", "show", row).out
    assert "made by a correction of entry" in command("row", "show", made["row_id"]).out


def test_every_correction_is_audited(command, row):
    command("correct", row, *REASON, "--actor", "ada")
    (action,) = command("dead", "audit", "--json").json["actions"]
    assert (action["verb"], action["actor"], action["state_before"], action["state_after"]) == (
        "correct",
        "ada",
        "3 units",
        "0 units",
    )

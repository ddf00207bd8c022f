"""A ledger that mirrored before there was one table of mirrors keeps what it knew, and learns the rest by events."""

import json
import random
from pathlib import Path

import psycopg
import pytest

from service import migrate
from service.ledger import Ledger
from service.timing import FAST
from workers.apply import Applier

BEFORE = """
INSERT INTO subscription VALUES
    ('default', 'sub_1', 'cus_1', 'active', NULL, '2026-01-02Z', NULL, '{"trial_end": 1769904000}');
INSERT INTO subscription_item VALUES
    ('default', 'si_1', 'sub_1', 'cus_1', 'price_1', 'mtr_1', '2026-01-01Z', '2026-02-01Z');
INSERT INTO invoice (account, invoice, customer, status, total, as_of, object) VALUES
    ('default', 'in_1', 'cus_1', 'open', 5, '2026-01-02Z', '{}'),
    ('default', 'in_2', 'cus_1', NULL, 7, '2026-01-02Z', '{}');
INSERT INTO event (account, event_id, type, is_live, created_at, object_id, body, state, due_at) VALUES
    ('default', 'evt_1', 'invoice.finalized', false, '2026-01-02Z', 'in_1', '%s', 'applied', NULL),
    ('default', 'evt_2', 'customer.created', false, '2026-01-02Z', 'cus_1', '%s', 'ignored', NULL),
    ('default', 'evt_3', 'customer.subscription.updated', false, '2026-01-02Z', 'sub_1', '{}', 'applied', NULL)
"""
LINES = {"data": [{"id": "il_1", "amount": 5}], "has_more": False}
INVOICE = {
    "data": {"object": {"id": "in_1", "object": "invoice", "customer": "cus_1", "status": "open", "lines": LINES}}
}
CUSTOMER = {"data": {"object": {"id": "cus_1", "object": "customer"}}}


@pytest.fixture
def carried_over(postgres_url, monkeypatch):
    """The ledger after the migration, and what its events were applied to once more."""
    url, every = f"{postgres_url.rpartition('/')[0]}/carried_over", migrate.MIGRATIONS.glob("*.sql")
    older = [path for path in sorted(every) if path.stem < "0008"]
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS carried_over WITH (FORCE)")
        server.execute("CREATE DATABASE carried_over")
    monkeypatch.setattr(migrate, "MIGRATIONS", Only(older))
    migrate.migrate(url)
    with psycopg.connect(url) as ledger:
        ledger.execute((BEFORE % (json.dumps(INVOICE), json.dumps(CUSTOMER))).encode())
    monkeypatch.undo()
    migrate.migrate(url)
    ledger = Ledger(url)
    yield ledger
    ledger.close()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("DROP DATABASE carried_over WITH (FORCE)")


class Only:
    """A folder of migrations that has these alone."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    def glob(self, _: str) -> list[Path]:
        return self._files


class Deaf:
    """A Stripe that nobody may ask."""


def ask(ledger, question):
    with ledger.transaction() as tx:
        return tx.execute(question.encode()).fetchall()


def test_what_was_mirrored_is_kept_at_once(carried_over):
    assert ask(carried_over, "SELECT status, trial_end::date::text FROM subscription") == [("active", "2026-02-01")]
    assert ask(carried_over, "SELECT item, meter_stripe_id, period_end::date::text FROM subscription_item") == [
        ("si_1", "mtr_1", "2026-02-01")
    ]
    assert ask(carried_over, "SELECT invoice, status, total FROM invoice ORDER BY 1") == [
        ("in_1", "open", 5),
        ("in_2", None, 7),
    ]


def test_what_was_mirrored_of_a_subscription_is_a_word_and_tells_its_stretch(carried_over):
    assert ask(carried_over, "SELECT item, price, starts_at::date::text, ends_at::date::text FROM stretch") == [
        ("si_1", "price_1", "2026-01-01", "2026-02-01")
    ]
    assert ask(carried_over, "SELECT subscription FROM subscription_word") == [("sub_1",)]


def test_what_was_told_and_not_kept_is_learnt_from_the_events_without_asking_stripe(carried_over):
    Applier(carried_over, Deaf(), timing=FAST, chance=random.Random(7)).apply_due("default")

    assert ask(carried_over, "SELECT invoice, line, amount FROM invoice_line") == [("in_1", "il_1", 5)]
    assert ask(carried_over, "SELECT object_id FROM mirror WHERE kind = 'customer'") == [("cus_1",)]
    assert ask(carried_over, "SELECT DISTINCT state FROM event") == [("applied",)]

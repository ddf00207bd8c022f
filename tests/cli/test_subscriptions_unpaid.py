"""A subscription whose first invoice is not paid is made and bills nothing: that is said wherever somebody looks."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from meterpost.subscription import SubscriptionRow, read_subscription

Command = Callable[..., Any]
CREATED = """
    UPDATE signup SET state = 'created', subscription = 'sub_' || row_id, due_at = NULL;
    INSERT INTO mirror (account, kind, object_id, customer, as_of, is_deleted, facts, object)
    SELECT 'default', 'subscription', 'sub_' || row_id, 'cus_1', ledger_now(), false,
        jsonb_build_object(
            'status', CASE row_id WHEN 'b' THEN 'incomplete' WHEN 'c' THEN 'incomplete_expired' ELSE 'active' END
        ),
        '{}'
    FROM signup WHERE row_id <> 'd'
"""
LONG_AGO = "UPDATE mirror SET as_of = ledger_now() - interval '8 days'"


@pytest.fixture(autouse=True)
def created(books: Any) -> None:
    """An import of four: one that is paid, one that is not, one that ended so, and one that no event told of."""
    rows = [
        read_subscription(
            {"customer": f"cus_{row_id}", "price": "price_1", "import_name": "spring", "row_id": row_id},
            now=datetime.now(UTC),
        )
        for row_id in "abcd"
    ]
    books.sign_up([row for row in rows if isinstance(row, SubscriptionRow)])
    books.execute(CREATED)


def test_following_an_import_counts_what_is_not_paid_apart_with_what_to_do(command: Command) -> None:
    states = command("subscriptions", "follow", "spring", "--json").json["states"]
    ran = command("subscriptions", "follow", "spring")

    assert states == {"created": 2, "incomplete": 1, "incomplete_expired": 1}
    assert (ran.code, "spring: 2 created, 1 incomplete, 1 incomplete_expired" in ran.err) == (0, True)
    assert "ends 23 hours after it began: meterpost subscriptions list --import spring --unpaid" in ran.err
    assert "tell it again under another row_id" in ran.err


def test_imports_count_what_is_not_paid(command: Command) -> None:
    (found,) = command("subscriptions", "imports", "--json").json["imports"]

    assert (found["signups"], found["created"], found["unpaid"], found["dead"]) == (4, 2, 2, 0)
    assert "unpaid" in command("subscriptions", "imports").out


def test_a_list_tells_what_stripe_last_said_and_may_be_of_the_unpaid_alone(command: Command) -> None:
    every = command("subscriptions", "list", "--json").json["subscriptions"]
    unpaid = command("subscriptions", "list", "--unpaid")

    statuses = {one["row_id"]: one["status"] for one in every}
    assert statuses == {"a": "active", "b": "incomplete", "c": "incomplete_expired", "d": None}
    assert ("incomplete_expired" in unpaid.out, "sub_a" in unpaid.out, "sub_b" in unpaid.out) == (True, False, True)


@pytest.mark.parametrize(
    ("row_id", "says", "remedy"),
    [
        ("b", "its first invoice is not paid, and it ends 23 hours", "Remedy: have its first invoice paid"),
        ("c", "Stripe ended it, because its first invoice was not paid", "Remedy: tell it again under another row_id"),
    ],
)
def test_show_does_not_call_it_done(command: Command, row_id: str, says: str, remedy: str) -> None:
    out = command("subscriptions", "show", row_id).out

    assert (says in out, remedy in out, "Stripe has it, once." in out) == (True, True, False)


def test_the_doctor_warns_of_them_with_their_ids_and_the_remedy(command: Command, books: Any) -> None:
    incomplete, ended = _unpaid(command)

    assert "1 subscriptions made here are incomplete" in incomplete["text"]
    assert ("(su-2)" in incomplete["text"], "--unpaid" in incomplete["remedy"]) == (True, True)
    assert ("(su-3)" in ended["text"], ended["severity"]) == (True, "warning")


def test_the_doctor_forgets_what_ended_unpaid_a_week_ago_and_not_what_is_incomplete(
    command: Command, books: Any
) -> None:
    books.execute(LONG_AGO)

    assert ["are incomplete" in one["text"] for one in _unpaid(command)] == [True]


def _unpaid(command: Command) -> list[dict[str, Any]]:
    return [one for one in command("doctor", "--json").json["findings"] if one["name"] == "unpaid"]

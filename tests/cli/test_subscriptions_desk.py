"""Subscriptions as a person looks at them: which stand where, one's whole story, and the refused ones tried again."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from cli.subscription_list import STATES as LISTED
from cli.subscription_show import STATES, VERDICTS
from meterpost.subscription import SubscriptionRow, read_subscription

Command = Callable[..., Any]
SignUp = Callable[..., None]
STEPS = """
    INSERT INTO signup_step (signup_id, step, about, found)
    SELECT signup_id, step, about, found
    FROM signup, (VALUES ('price', '', 'price_1'), ('tax_id', 'eu_vat:DE1', 'txi_1')) AS s (step, about, found)
    WHERE row_id = 'a'
"""
LISTED_CLEAR = """
    INSERT INTO signup_listing (signup_id, key_number, verdict, subscriptions, ended)
    SELECT signup_id, 0, 'clear', '{}', '{}' FROM signup WHERE row_id = 'a'
"""
CALLED = """
    INSERT INTO signup_attempt
        (signup_lane_id, signup_id, step, idempotency_key, fence, ended_at, outcome, status, code, detail, request_id)
    SELECT signup_lane_id, signup_id, 'create', identifier, 1, ledger_now(), 'refused', 402, 'card_declined',
        'Your card was declined.', 'req_1'
    FROM signup WHERE row_id = 'a'
"""
REFUSED = "UPDATE signup SET state = 'refused', reason = 'Your card was declined.', due_at = NULL WHERE row_id = 'a'"
CREATED = "UPDATE signup SET state = 'created', subscription = 'sub_1', due_at = NULL WHERE row_id = 'a'"
MIRRORED = """
    INSERT INTO mirror (account, kind, object_id, customer, as_of, is_deleted, facts, object)
    VALUES ('default', 'subscription', 'sub_1', 'cus_1', '2026-03-01T00:00:00Z', false, '{"status": "past_due"}', '{}')
"""


@pytest.fixture
def sign_up(books: Any) -> SignUp:
    """Record subscriptions of these row ids, each for a customer of its own."""

    def done(*row_ids: str, **said: Any) -> None:
        books.sign_up([_row(row_id, number, said) for number, row_id in enumerate(row_ids, start=1)])

    return done


def _row(row_id: str, number: int, said: dict[str, Any]) -> SubscriptionRow:
    usual = {"customer": f"cus_{number}", "price": "price_1", "import_name": "spring", "row_id": row_id}
    row = read_subscription(usual | said, now=datetime.now(UTC))
    assert isinstance(row, SubscriptionRow), row
    return row


def _refuse(books: Any, statements: Sequence[str] = (STEPS, LISTED_CLEAR, CALLED, REFUSED)) -> None:
    for statement in statements:
        books.execute(statement)


def test_subscriptions_are_listed_by_page_and_by_what_fits(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a", "b", "c")
    books.execute(CREATED)

    page = command("subscriptions", "list", "--limit", "2", "--json").json
    rest = command("subscriptions", "list", "--after", str(page["after"]), "--json").json
    fits = command("subscriptions", "list", "--state", "created", "--import", "spring", "--customer", "cus_1", "--json")

    assert sorted(one["row_id"] for one in page["subscriptions"] + rest["subscriptions"]) == ["a", "b", "c"]
    assert [one["subscription"] for one in fits.json["subscriptions"]] == ["sub_1"]
    assert command("subscriptions", "list", "--import", "autumn").err == "none fits\n"


@pytest.mark.parametrize("told", [["--state", "refused,created"], ["--state", "refused", "--state", "created"]])
def test_several_states_are_told_at_once(command: Command, sign_up: SignUp, books: Any, told: list[str]) -> None:
    sign_up("b", "a")
    books.execute(CREATED)
    _refuse(books, [REFUSED.replace("'a'", "'b'")])
    sign_up("c")

    assert len(command("subscriptions", "list", *told, "--json").json["subscriptions"]) == 2
    assert "'gone' is none of due, " in command("subscriptions", "list", "--state", "refused,gone").err


def test_imports_are_listed_with_what_became_of_their_rows(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a", "b")
    _refuse(books)
    sign_up("c", import_name="summer")

    newest, oldest = command("subscriptions", "imports", "--json").json["imports"]

    assert (newest["import_name"], newest["waiting"], newest["dead"]) == ("summer", 1, 0)
    assert (oldest["signups"], oldest["waiting"], oldest["dead"], oldest["created"]) == (2, 1, 1, 0)


def test_a_refused_one_tells_its_steps_its_calls_and_the_remedy(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a", setup_fee="49.00", customer_tax_ids=[("eu_vat", "DE1")])
    _refuse(books)

    out = command("subscriptions", "show", "a").out

    assert "    setup_fee: 49\n" in out
    assert "done: tax_id eu_vat:DE1: txi_1" in out
    assert "nothing stands in its way" in out
    assert "Stripe refused it, status 402, card_declined, Your card was declined., request req_1" in out
    assert "Remedy: repair it at Stripe and dead retry su-1;" in out


@pytest.mark.parametrize("by", ["su-1", "a", "sub_1", "mps-"])
def test_it_is_found_by_each_of_its_ids(command: Command, sign_up: SignUp, books: Any, by: str) -> None:
    sign_up("a")
    books.execute(CREATED)
    books.execute(MIRRORED)
    (told,) = command("subscriptions", "show", "a", "--json").json["subscriptions"]

    ran = command("subscriptions", "show", told["signup"]["identifier"] if by == "mps-" else by)

    assert "Created: Stripe has it, once." in ran.out
    assert "Subscription sub_1: past_due at 2026-03-01T00:00:00Z." in ran.out


def test_a_corrected_one_and_its_correction_name_each_other(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a")
    _refuse(books)
    sign_up("a~2", replaces="a")

    assert "Corrected by row a~2." in command("subscriptions", "show", "a").out
    assert "corrects row a\n" in command("subscriptions", "show", "a~2").out


def test_what_corrects_a_created_one_is_drained_as_it_is_retried(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a")
    books.execute(CREATED)
    sign_up("a~2", replaces="a")

    retried = command("dead", "retry", "su-2", "--reason", "INC-42")
    drained = command("dead", "drain", "--class", "blocked", "--yes", "--reason", "INC-42", "--rate", "100/s")

    assert (retried.code, drained.code) == (1, 3)
    assert "it corrects a row that could not be replaced" in retried.out + retried.err
    assert "it corrects a row that could not be replaced" in drained.out
    assert command("subscriptions", "list", "--state", "blocked", "--json").json["subscriptions"][0]["row_id"] == "a~2"


@pytest.mark.parametrize("show", [["dead", "show"], ["subscriptions", "show"]])
def test_what_corrects_a_created_one_is_to_be_discarded(
    command: Command, sign_up: SignUp, books: Any, show: list[str]
) -> None:
    sign_up("a")
    books.execute(CREATED)
    sign_up("a~2", replaces="a")

    (*_, remedy) = [line for line in command(*show, "su-2").out.splitlines() if "Remedy: " in line]

    assert remedy.startswith("    Remedy: dead discard su-2, once what its reason names is as it should be; ")
    assert "looks again" not in command(*show, "su-2").out


@pytest.mark.parametrize(("words", "constraint"), [(STATES, "signup_state"), (VERDICTS, "signup_listing_verdict")])
def test_every_state_and_verdict_has_its_sentence(ledger: str, words: dict[str, str], constraint: str) -> None:
    definition = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"

    with psycopg.connect(ledger) as tx:
        (found,) = tx.execute(definition, [f"{constraint}_check"]).fetchall()

    assert set(re.findall(r"'(\w+)'", found[0])) == set(words)
    assert list(LISTED) == list(STATES)


def test_what_nobody_told_is_said(command: Command, books: Any) -> None:
    ran = command("subscriptions", "show", "nothing")

    assert (ran.code, "it may be on the queue still" in ran.err) == (1, True)


def test_a_dry_retry_counts_the_calls_that_are_still_needed(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a", "b", setup_fee="49.00", customer_tax_ids=[("eu_vat", "DE1"), ("gb_vat", "GB1")])
    _refuse(books)

    ran = command("subscriptions", "retry-failed", "--dry-run", "--json")

    # The list, one look and one tax id, the product and the creation; the price and the other tax id are there.
    assert (ran.code, ran.json["refused"], ran.json["retried"], ran.json["calls"]) == (0, 1, 0, 5)
    assert ran.json["reasons"] == {"create: card_declined": 1}
    assert command("subscriptions", "list", "--state", "refused", "--json").json["subscriptions"][0]["row_id"] == "a"


def test_the_refused_of_an_import_are_tried_again_with_a_reason(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a", "b")
    _refuse(books)

    ran = command("subscriptions", "retry-failed", "--import", "spring", "--reason", "the card is there now", "--json")

    assert (ran.code, ran.json["retried"]) == (0, 1)
    assert "Due: It waits for its next step." in (out := command("subscriptions", "show", "a").out)
    assert "the card is there now" in out


def test_what_other_imports_have_is_left_alone(command: Command, sign_up: SignUp, books: Any) -> None:
    sign_up("a")
    _refuse(books)

    ran = command("subscriptions", "retry-failed", "--import", "summer", "--reason", "why")

    assert (ran.code, ran.err) == (0, "nothing is refused\n")


def test_a_retry_without_a_reason_is_an_error_of_usage(command: Command, books: Any) -> None:
    assert command("subscriptions", "retry-failed").code == 2

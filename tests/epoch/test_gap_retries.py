"""What a restored ledger takes for refused may have been retried and counted in the time that it has forgotten."""

import pytest

from cli.exits import FAILURE
from cli.main import run

WHY = ["--reason", "the customer is there now"]
RETRY = ["dead", "retry", "me-1", *WHY]
DRAIN = ["dead", "drain", "--class", "refused", *WHY]


@pytest.fixture
def refused_and_forgotten(works):
    """Refused, then retried by a person and counted; the ledger knows of the refusal only."""
    works.sends("r1", 7)
    works.place.seal()
    works.place.write("UPDATE meter_event SET state = 'refused', reason = 'no such customer', due_at = NULL")
    works.server.keep()
    run(RETRY)
    works.place.walk()
    works.forgets()
    return works


def test_a_retry_before_the_comparison_is_billed_once(refused_and_forgotten, capsys):
    works = refused_and_forgotten
    works.place.walk()
    run(RETRY)
    told = capsys.readouterr().err
    works.confirms()
    works.place.walk()
    assert works.counts() == 7
    assert "meterpost reconcile --epoch" in told


@pytest.mark.parametrize("order", [RETRY, DRAIN], ids=["retry", "drain"])
def test_a_retry_that_meets_the_restored_ledger_before_anybody_else_is_billed_once(
    refused_and_forgotten, order, capsys
):
    works = refused_and_forgotten
    run(order)
    told = "".join(capsys.readouterr())
    works.confirms()
    works.place.walk()
    assert works.counts() == 7
    assert "meterpost reconcile --epoch" in told


def test_where_no_witness_can_be_asked_nothing_is_retried(refused_and_forgotten, monkeypatch, capsys):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert run(RETRY) == FAILURE
    assert "REDIS_URL" in capsys.readouterr().err
    assert refused_and_forgotten.place.ask("SELECT state FROM meter_event") == [("refused",)]


@pytest.mark.parametrize("is_discarded", [False, True])
def test_a_retry_of_what_stripe_counts_already_is_billed_once(refused_and_forgotten, is_discarded, capsys):
    works = refused_and_forgotten
    works.confirms()
    assert not is_discarded or run(["dead", "discard", "ex-1", "--reason", "it is me-1"]) == 0
    run(RETRY)
    told = capsys.readouterr().err
    works.place.walk()
    assert works.counts() == 7
    assert "Stripe counts" in told

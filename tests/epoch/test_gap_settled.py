"""What Stripe's summaries do not show yet cannot be found, so no restore is confirmed on such a comparison."""

import pytest

from cli.exits import FAILURE, FINDINGS, OK
from cli.main import run
from local.sandbox import ask_sandbox

COMPARE = ["reconcile", "--epoch"]
CONFIRM = [*COMPARE, "--confirm", "--yes", "--reason", "INC-42"]
A_DAY_S = 86_400


def lag(works, seconds):
    of_account = {"account": works.place.stripe_account, "livemode": False}
    ask_sandbox(works.place.settings.stripe_api_base, "/_sandbox/settings", {**of_account, "summary_lag_s": seconds})


@pytest.fixture
def forgotten(works):
    """One row that the ledger knows to be accepted, and a later one that it has forgotten."""
    works.sends("known", 1, minute=90)
    works.place.seal()
    works.place.send()
    works.server.keep()
    works.sends("forgotten", 7)
    works.place.seal()
    works.place.send()
    works.forgets()
    works.place.seal()  # somebody looks
    return works


def test_compared_at_once_it_is_not_confirmed_and_told_when_to_try_again(forgotten, capsys):
    forgotten.place.write("UPDATE ledger_clock SET ahead_by = ahead_by - interval '1 h'")
    assert (run(COMPARE), run(CONFIRM)) == (FINDINGS, FAILURE)
    told = capsys.readouterr().err
    assert told.count("not yet: Stripe's summaries may not show the last calls before") == 2
    assert forgotten.place.waits_for_person()


def test_while_what_stripe_accepted_does_not_show_it_is_not_confirmed(forgotten, capsys):
    lag(forgotten, A_DAY_S)
    forgotten.place.write("UPDATE ledger_clock SET ahead_by = ahead_by + interval '5 s'")
    assert (run(COMPARE), run(CONFIRM)) == (FINDINGS, FAILURE)
    assert "summaries do not show what it accepted" in capsys.readouterr().err
    assert forgotten.place.waits_for_person()


def test_once_it_shows_the_forgotten_is_found_and_billed_once(forgotten, in_json):
    lag(forgotten, A_DAY_S)
    forgotten.place.write("UPDATE ledger_clock SET ahead_by = ahead_by + interval '5 s'")
    late = in_json(*COMPARE)
    lag(forgotten, 0)
    assert (run(COMPARE), run(CONFIRM)) == (FINDINGS, OK)
    forgotten.sends_again("forgotten")
    forgotten.place.walk()
    assert (late["lanes_lagging"], late["externals"]) == (1, [])
    assert forgotten.counts() == 8

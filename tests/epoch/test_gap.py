"""What was called for in the forgotten time is billed once, in whichever form it comes again."""

import pytest

from cli.exits import FINDINGS, OK
from cli.main import run

DISCARD = ["dead", "discard", "ex-1", "--reason", "nobody's usage"]


def states(works):
    return dict(works.place.ask("SELECT state, count(*) FROM meter_event GROUP BY state"))


def test_what_was_sealed_before_is_sent_again_under_the_same_identifier(works):
    works.sends("r1", 7)
    works.place.seal()
    works.server.keep()
    works.place.send()
    works.forgets()
    works.confirms()
    works.place.walk()
    assert works.place.calls() == 2
    assert works.counts() == 7
    assert works.place.ask("SELECT count(*) FROM external") == [(0,)]


def test_what_was_sealed_before_is_in_doubt_since_before_it_could_be_called_for(works):
    works.sends("r1", 7)
    works.place.seal()
    works.server.keep()
    works.place.send()
    works.forgets()
    works.place.walk()
    in_doubt = "SELECT state, ambiguous_since = sealed_at FROM meter_event JOIN generation USING (meter_event_id)"
    assert works.place.ask(in_doubt) == [("unknown", True)]


def forgotten_row(works, *, meter="tokens"):
    """A row that was recorded, sealed and sent, and that the ledger has forgotten altogether."""
    works.sends("r0", 1, minute=90, meter=meter)
    works.place.walk()
    works.server.keep()
    works.sends("r1", 7, meter=meter)
    works.place.walk()
    works.forgets()


def test_a_row_sent_again_that_stripe_counts_is_not_sent_to_stripe_again(works):
    forgotten_row(works)
    works.confirms()
    works.sends_again("r1")
    works.place.walk()
    assert works.counts() == 8
    assert states(works) == {"confirmed": 2}
    assert works.place.ask("SELECT letter FROM dead_letter") == []


def test_a_row_sent_again_before_the_comparison_is_not_sent_to_stripe_again(works):
    forgotten_row(works)
    works.sends_again("r1")
    works.place.walk()
    works.confirms()
    works.place.walk()
    assert works.counts() == 8


def test_a_new_row_of_the_same_bucket_is_billed_beside_it(works):
    forgotten_row(works)
    works.confirms()
    works.sends("new", 4)
    works.sends_again("r1")
    works.place.walk()
    assert works.counts() == 1 + 7 + 4


def test_a_row_that_was_sealed_with_forgotten_ones_waits_for_them(works):
    works.sends("kept", 2)
    works.server.keep()
    works.sends("forgotten", 5, minute=1)
    works.place.walk()
    works.forgets()
    works.confirms()
    works.place.walk()
    assert works.place.ask("SELECT row_id FROM entry WHERE meter_event_id IS NULL") == [("kept",)]
    works.sends_again("forgotten")
    works.place.walk()
    assert works.counts() == 7
    assert states(works) == {"confirmed": 1}


def test_of_a_meter_that_counts_each_row_stays_a_meter_event_of_its_own(works):
    works.place.make_meter("calls", formula="count")
    forgotten_row(works, meter="calls")
    works.confirms()
    works.sends("new", 4, meter="calls")
    works.sends_again("r1")
    works.place.walk()
    assert works.place.calls() == 3
    assert states(works) == {"confirmed": 3}


def test_a_lane_that_was_forgotten_altogether_is_found_by_its_subscription(works, subscribed):
    works.server.keep()
    subscribed(works, "Ada")
    works.sends("r1", 7)
    works.place.walk()
    works.forgets()
    works.confirms()
    works.sends_again("r1")
    works.place.walk()
    assert works.counts() == 7


def test_what_nobody_sends_again_stands_on_the_desk_and_its_hour_waits(works, in_json):
    forgotten_row(works)
    works.confirms()
    works.sends("new", 4, minute=30)
    works.place.walk()
    (letter,) = in_json("dead", "list")["letters"]
    assert (letter["letter"], letter["class"], letter["value"]) == ("ex-1", "external", "7")
    assert works.counts() == 8


def test_what_a_person_discards_holds_nothing_back_any_more(works):
    forgotten_row(works)
    works.confirms()
    works.sends("new", 4, minute=30)
    works.place.walk()
    assert run(DISCARD) == OK
    works.place.walk()
    assert works.counts() == 12
    assert works.place.ask("SELECT letter FROM dead_letter") == []


def test_what_came_again_cannot_be_discarded(works, in_json):
    forgotten_row(works)
    works.confirms()
    works.sends_again("r1")
    works.place.walk()
    told = in_json(*DISCARD)
    assert told["done"] is False
    assert "came again" in told["answer"]["text"]


def test_a_second_comparison_finds_nothing_twice(works):
    forgotten_row(works)
    works.confirms()
    works.sends_again("r1")
    works.place.walk()
    assert run(["reconcile", "--epoch"]) == OK
    assert works.place.ask("SELECT value FROM external") == [(7,)]


@pytest.mark.parametrize("is_compared", [False, True], ids=["never compared", "compared too soon"])
def test_a_restore_is_not_confirmed_before_it_was_compared(works, is_compared, capsys):
    forgotten_row(works)
    works.place.walk()
    works.place.write("UPDATE ledger_clock SET ahead_by = ahead_by - interval '1 h'")
    assert not is_compared or run(["reconcile", "--epoch"]) == FINDINGS
    assert run(["reconcile", "--epoch", "--confirm", "--yes", "--reason", "INC-42"]) != OK
    assert "reconcile --epoch" in capsys.readouterr().err
    assert works.place.waits_for_person()


def test_who_confirmed_is_on_the_books(works, in_json):
    forgotten_row(works)
    works.confirms()
    (action,) = in_json("dead", "audit")["actions"]
    assert (action["verb"], action["subject"], action["reason"]) == ("confirm", "epoch/2", "INC-42")


def test_a_person_who_says_no_confirms_nothing(works, monkeypatch):
    forgotten_row(works)
    works.place.walk()
    works.place.write("UPDATE epoch SET compared_at = ledger_now() + interval '1 h'")
    monkeypatch.setattr("click.confirm", refuse)
    assert run(["reconcile", "--epoch", "--confirm", "--reason", "INC-42"]) != OK
    assert works.place.waits_for_person()


def refuse(*_arguments, **_named):
    raise KeyboardInterrupt


def test_status_the_doctor_and_the_answer_say_what_to_do(works, in_json, capsys):
    forgotten_row(works)
    works.place.walk()
    assert "does not know attempt" in in_json("status")["restore"]["cause"]
    run(["status"])
    assert "run meterpost reconcile --epoch" in capsys.readouterr().err
    findings = {finding["name"]: finding for finding in in_json("doctor")["findings"]}
    assert findings["restore"]["severity"] == "failure"
    assert "meterpost reconcile --epoch" in findings["restore"]["remedy"]


def test_a_ledger_that_was_never_restored_has_nothing_to_compare(works, capsys):
    assert run(["reconcile", "--epoch"]) == OK
    assert "never restored" in capsys.readouterr().err

"""Whoever looks at a row, a dead letter or the doctor hears of the report, its event and Stripe's words."""

import pytest

from cli.main import run


def test_a_row_tells_of_the_report_that_names_it(shop, capsys):
    shop.reject()
    shop.sent()
    shop.report()
    (event_id,) = shop.ask("SELECT event_id FROM error_report")

    run(("row", "show", "r1"))

    told = capsys.readouterr().out
    assert f"error report {event_id} names it (generation 1, {shop.identifiers()[0]}): No such customer" in told
    assert "Refused: Stripe will not take it; a person has to look. Reason: No such customer" in told


@pytest.mark.parametrize("command", [("row", "show", "r1"), ("dead", "show", "me-1")])
def test_a_suspect_tells_of_the_report_that_does_not_name_it(shop, capsys, command):
    shop.reject()
    shop.sent()
    shop.tell_of(count=40)
    shop.read()

    run(command)

    told = " ".join(capsys.readouterr().out.split())
    assert "40 errors (archived_meter) from" in told
    assert "when it was called for, not named" in told


def test_the_story_as_json_has_the_reports(shop, capsys):
    shop.reject()
    shop.sent()
    shop.report()

    run(("row", "show", "r1", "--json"))

    assert '"code": "meter_event_customer_not_found"' in capsys.readouterr().out


def test_the_doctor_warns_of_errors_that_are_not_of_this_ledger(shop, capsys):
    shop.tell_of("mp-of-somebody-else")

    run(("doctor",))

    told = " ".join(capsys.readouterr().out.split())
    assert "error reports name what this ledger did not send: 1 in 30 days, last mp-of-somebody-else in evt_" in told


def test_the_event_tells_what_its_report_counts_names_and_does_not_know(shop, capsys):
    shop.sent(2)
    shop.tell_of("mp-of-somebody-else", shop.identifiers()[0], count=40)
    (event_id,) = shop.ask("SELECT event_id FROM event")

    run(("events", "show", event_id))

    told = " ".join(capsys.readouterr().out.split())
    assert "reports 40 errors (archived_meter) from" in told
    assert "1 of them named; of 1 others called for then Stripe's books are asked" in told
    assert "not of this ledger: mp-of-somebody-else: No (archived_meter)" in told

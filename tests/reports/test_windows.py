"""A report names samples: what else was called for in its window is asked about, and nothing beyond it."""

from datetime import UTC, datetime, timedelta

import pytest

from service.event_types import NO_METER_FOUND
from service.timing import STANDARD
from workers.reconcile import Reconciler


def test_what_stripe_counts_is_confirmed_though_a_report_is_about_its_window(shop):
    shop.reject(4)
    shop.sent(6)

    shop.report()
    shop.read()

    assert shop.states() == {"refused": 3, "held": 1, "confirmed": 2}
    assert shop.ask("SELECT count(*) FROM suspect") == [3]


def test_a_report_that_names_all_its_errors_is_about_nothing_else(shop):
    shop.reject(3)
    shop.sent(5)

    shop.report()

    assert shop.states() == {"refused": 3, "accepted": 2}
    assert shop.ask("SELECT count(*) FROM suspect") == [0]


def test_what_was_called_for_at_another_time_is_no_suspect(shop):
    shop.sent()
    shop.pass_time(minutes=5)
    shop.reject(4)
    shop.sent(4)

    shop.report()

    assert shop.ask("SELECT count(*), min(meter_event_id) > 1 FROM suspect") == [(1, True)]


def test_what_was_called_for_on_another_meter_is_no_suspect(shop):
    shop.sent()

    shop.tell_of(count=5, meter="mtr_of_another")

    assert shop.ask("SELECT error_count FROM error_report") == [5]
    assert shop.ask("SELECT 1 FROM suspect") == []


def test_a_suspect_is_held_with_the_report_as_its_reason(shop):
    shop.reject(4)
    shop.sent(4)
    shop.report()

    shop.read()

    (reason,) = shop.ask("SELECT reason FROM meter_event WHERE state = 'held'")
    assert reason.startswith("accepted by Stripe, but missing from its summary; Stripe reported 4 errors")
    assert "(meter_event_customer_not_found) in the window" in reason


def test_a_suspect_is_asked_about_before_its_hour_is_over(shop):
    patient = Reconciler(shop.ledger, shop.gateway, "default", timing=STANDARD)
    shop.reject()
    shop.seal(since=datetime.now(UTC) - timedelta(minutes=10))
    shop.send()
    shop.tell_of(count=5)

    shop.pass_time(minutes=11)
    patient.confirm_due()

    assert shop.states() == {"held": 1}


def test_what_is_proven_absent_under_a_report_is_refused_with_its_words_and_never_sent_anew(shop):
    shop.reject(4)
    shop.sent(4)
    shop.report()
    shop.read()

    shop.prove_absences()

    (reason,) = shop.ask("SELECT reason FROM meter_event WHERE reason LIKE 'Stripe reported 4 errors%%'")
    assert "absent from Stripe's books since" in reason
    assert shop.states() == {"refused": 4, "confirmed": 1}
    assert shop.ask("SELECT count(*) FROM generation WHERE generation > 1") == [0]


def test_a_suspect_that_lags_behind_is_held_no_longer_than_stripes_books_lag(shop):
    shop.switch(summary_lag_s=3600)
    shop.reject(4)
    shop.sent(5)
    shop.report()
    shop.read()
    assert shop.states() == {"refused": 3, "held": 2}

    shop.pass_time(hours=2)
    shop.write("UPDATE meter_event SET read_back_at = NULL WHERE state = 'held'")
    shop.read()

    assert shop.states() == {"refused": 3, "held": 1, "confirmed": 1}


def test_what_is_not_known_yet_is_sent_again_and_then_asked_about(shop):
    shop.reject()
    shop.fault("reply_lost", times=1)
    shop.seal()
    shop.call_once()
    shop.tell_of(count=1)
    assert shop.states() == {"unknown": 1}

    shop.send()
    shop.read()

    assert shop.states() == {"held": 1}
    assert shop.ask("SELECT outcome FROM attempt ORDER BY attempt_id") == ["unknown", "accepted"]


def test_what_was_held_before_the_report_is_refused_once_it_is_proven_absent(shop):
    shop.fault("conflict", times=1)
    shop.seal()
    shop.call_once()
    shop.tell_of(count=1)
    shop.pass_time(hours=23)
    shop.send()
    assert shop.states() == {"held": 1}

    shop.prove_absences()

    assert shop.states() == {"refused": 1, "confirmed": 1}


def test_the_hour_of_a_confirmed_suspect_is_read_again_soon(shop):
    shop.sent()
    shop.read()

    shop.tell_of(count=1)
    shop.second_reader.read_again_due()

    assert shop.ask("SELECT verdict FROM second_reading") == ["agreed"]
    assert shop.states() == {"confirmed": 1}


def test_a_report_of_no_meter_names_by_samples_as_any_other(shop):
    shop.reject(code="no_meter")
    shop.sent()

    shop.report()

    assert shop.ask("SELECT type, meter_stripe_id FROM error_report JOIN event USING (event_id)") == [
        (NO_METER_FOUND, None)
    ]
    assert shop.states() == {"refused": 1}


@pytest.mark.parametrize(("is_active", "suspects"), [("true", 0), ("false", 2)])
def test_a_report_of_no_meter_is_about_meters_that_we_do_not_know_as_active(shop, is_active, suspects):
    shop.sent(2)
    shop.write(f"UPDATE meter SET is_active = {is_active}")

    shop.tell_of(count=5, meter="", type_=NO_METER_FOUND)

    assert shop.ask("SELECT count(*) FROM suspect") == [suspects]


def test_a_suspect_of_which_stripe_refuses_to_tell_is_before_a_person(shop):
    shop.sent()
    shop.write("UPDATE meter SET is_active = false")
    shop.tell_of(count=5, meter="", type_=NO_METER_FOUND)
    shop.write("UPDATE lane SET customer = 'cus_nobody'")

    shop.read()

    (reason,) = shop.ask("SELECT reason FROM meter_event WHERE state = 'held'")
    assert reason.startswith("accepted by Stripe, which refuses to tell its summary; Stripe reported 5 errors")


def test_orphans_are_kept_and_refuse_nothing(shop):
    shop.sent()

    shop.tell_of("mp-of-somebody-else", "row-17")

    assert shop.states() == {"accepted": 1}
    assert shop.ask("SELECT told FROM error_sample WHERE meter_event_id IS NULL ORDER BY number") == [
        "mp-of-somebody-else",
        "row-17",
    ]


def test_a_key_that_was_never_used_names_nothing(shop):
    shop.sent()

    shop.tell_of(f"{shop.identifiers()[0]}.7")

    assert shop.states() == {"accepted": 1}

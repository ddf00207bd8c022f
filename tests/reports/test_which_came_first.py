"""A report beats the 200, in either order and from any state, and only of the generation that it names."""

import threading

import pytest


def test_what_is_confirmed_is_refused_by_a_report(shop):
    shop.sent()
    shop.read()
    assert shop.states() == {"confirmed": 1}

    shop.tell_of(shop.identifiers()[0])

    assert shop.ask("SELECT state, reason FROM meter_event") == [("refused", "No (archived_meter)")]
    assert shop.breaches() == []


def test_what_is_not_known_yet_is_refused_by_a_report(shop):
    shop.reject()
    shop.fault("reply_lost", times=1)
    shop.seal()
    shop.call_once()
    assert shop.states() == {"unknown": 1}

    shop.report()
    shop.send()

    assert shop.states() == {"refused": 1}
    assert shop.ask("SELECT count(*) FROM attempt") == [1]


def test_what_is_held_is_refused_by_a_report(shop):
    shop.fault("reply_lost", times=1)
    shop.seal()
    shop.call_once()
    shop.pass_time(hours=23)
    shop.send()
    assert shop.states() == {"held": 1}

    shop.tell_of(shop.identifiers()[0])

    assert shop.states() == {"refused": 1}


@pytest.mark.parametrize("names", ["identifier", "idempotency_key", "id_and_key"])
def test_a_sample_may_name_the_identifier_or_the_key(shop, names):
    shop.switch(report_request_names=names)
    shop.reject()
    shop.sent()

    shop.report()

    assert shop.states() == {"refused": 1}


def test_a_report_that_comes_before_the_200_makes_it_no_acceptance(shop, hear_late):
    shop.reject()
    shop.seal()

    hear_late(1, shop.report)

    assert shop.states() == {"refused": 1}
    assert shop.ask("SELECT outcome, status FROM attempt") == [("accepted", 200)]
    assert shop.ask("SELECT reason LIKE 'No such customer%(meter_event_customer_not_found)' FROM meter_event") == [True]


def test_a_report_that_is_written_down_and_not_acted_on_yet_is_heard_by_whoever_closes(shop, hear_late):
    shop.reject()
    shop.seal()

    hear_late(1, lambda: (shop.report(), shop.write("UPDATE meter_event SET state = 'sealed', due_at = ledger_now()")))

    assert shop.states() == {"refused": 1}


def test_what_a_report_refused_is_sent_anew_by_a_person_and_billed_once(shop):
    shop.reject()
    shop.sent()
    shop.report()

    shop.retry()
    shop.send()
    shop.apply()
    shop.read()

    assert shop.states() == {"confirmed": 1}
    assert shop.ask("SELECT generation FROM meter_event") == [2]
    assert shop.breaches() == []


def test_a_report_about_a_generation_that_was_given_up_refuses_nothing(shop):
    shop.reject()
    shop.sent()
    shop.report()
    shop.retry()
    shop.send()

    shop.tell_of(shop.identifiers()[0])

    assert shop.states() == {"accepted": 1}
    assert shop.ask("SELECT generation FROM error_sample") == [1, 1]


def test_nothing_is_sent_anew_while_its_call_is_under_way(shop, hear_late):
    shop.reject()
    shop.seal()

    hear_late(1, lambda: (shop.report(), shop.retry()))

    assert shop.states() == {"refused": 1}
    assert shop.ask("SELECT count(*) FROM generation") == [1]


def test_what_the_books_had_shown_is_not_sent_anew_on_a_report(shop):
    shop.sent()
    shop.read()
    shop.tell_of(shop.identifiers()[0])

    assert "Stripe's books had shown it before" in shop.retry()

    assert shop.states() == {"refused": 1}


def test_where_several_calls_may_have_counted_stripes_books_decide(shop):
    shop.switch(bad_gateway_keeps_the_answer=False, rejected_identifier_is_taken=False)
    shop.reject()
    shop.fault("bad_gateway_after", times=1)
    shop.seal()
    shop.call_once()
    shop.deliver()
    shop.send()
    assert shop.states() == {"accepted": 1}

    shop.apply()
    assert "another call under its identifier may count" in shop.ask("SELECT reason FROM meter_event")[0]
    shop.read()

    assert shop.states() == {"confirmed": 1}
    assert shop.breaches() == []


def test_a_report_that_is_applied_while_its_calls_are_closed_beats_each_of_them(shop, hear_late):
    shop.switch(report_samples_max=40)
    shop.reject(40)
    shop.seal(40)
    applying = threading.Thread(target=shop.apply)

    hear_late(40, lambda: (shop.deliver(), applying.start()))
    applying.join()

    assert shop.states() == {"refused": 40}
    assert shop.breaches() == []

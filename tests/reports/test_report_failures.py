"""Reports that cannot be fetched or read: put off, tried again, at last before a person, and never lost."""

import pytest

EVENTS = "/v2/core/events/*"
FINE = {
    "reason": {"error_count": 0, "error_types": []},
    "validation_start": "2026-11-20T00:00:00.000Z",
    "validation_end": "2026-11-20T00:00:10.000Z",
}


@pytest.mark.parametrize("kind", ["rate_limited", "error_before"])
def test_an_outage_of_the_fetch_makes_no_dead_letter_however_long_it_is(shop, kind):
    shop.fault(kind, path=EVENTS, times=15)
    shop.trigger(FINE)

    for _ in range(15):
        shop.apply()
    assert shop.ask("SELECT state, failures FROM event") == [("received", 9)]
    shop.apply()

    assert shop.ask("SELECT state FROM event") == ["applied"]


def test_a_report_that_stripe_does_not_know_is_a_dead_letter_after_ten_tries(shop):
    shop.tell({**_envelope(), "id": "evt_gone"})

    for _ in range(10):
        shop.apply()

    ((state, reason),) = shop.ask("SELECT state, reason FROM event")
    assert (state, "No such event: 'evt_gone'" in reason) == ("failed", True)
    assert shop.ask("SELECT letter, class FROM dead_letter") == [("ev-evt_gone", "failed")]


def test_an_unreadable_report_is_a_dead_letter_and_what_stripe_told_is_kept(shop):
    shop.trigger({"reason": {"error_count": 3}, "validation_start": "yesterday"})

    for _ in range(10):
        shop.apply()

    assert shop.ask("SELECT state, reason FROM event") == [
        ("failed", "the error report has no readable window of validation")
    ]
    assert shop.ask("SELECT DISTINCT body->'data'->>'validation_start' FROM fetched_event") == ["yesterday"]


def test_what_was_fetched_once_is_not_fetched_again(shop):
    event_id = shop.trigger(FINE)
    shop.apply()
    shop.write("UPDATE event SET state = 'received', due_at = ledger_now()")
    shop.fault("error_before", path=EVENTS)

    shop.apply()

    assert shop.ask("SELECT event_id, state FROM event") == [(event_id, "applied")]


def test_a_report_that_is_delivered_twice_has_one_effect(shop):
    shop.reject(4)
    shop.sent(4)

    shop.report()
    shop.report()

    assert shop.ask("SELECT deliveries, state FROM event") == [(2, "applied")]
    assert shop.ask("SELECT count(*) FROM error_sample") == [3]
    assert shop.states() == {"refused": 3, "accepted": 1}


def test_a_report_that_is_applied_again_changes_nothing_more(shop):
    shop.reject(4)
    shop.sent(4)
    shop.report()
    shop.retry("me-1")
    before = shop.ask("SELECT meter_event_id, state, generation, reason FROM meter_event ORDER BY 1")

    shop.write("UPDATE event SET state = 'received', due_at = ledger_now()")
    shop.apply()

    assert shop.ask("SELECT meter_event_id, state, generation, reason FROM meter_event ORDER BY 1") == before
    assert shop.ask("SELECT (SELECT count(*) FROM error_sample), (SELECT count(*) FROM suspect)") == [(3, 1)]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"context": "acct_connected"}, "of a connected account"),
        ({"type": "v1.billing.meter.no_such_type"}, "no effect for its type"),
    ],
)
def test_reports_that_are_not_ours_change_nothing(shop, changed, reason):
    shop.tell({**_envelope(), **changed})

    shop.apply()

    assert shop.ask("SELECT state, reason FROM event") == [("ignored", reason)]


def test_a_body_that_postgresql_cannot_store_as_it_is_is_kept_without_that(shop):
    shop.trigger({**FINE, "developer_message_summary": "a\x00b\ud800"})

    shop.apply()

    assert shop.ask("SELECT state FROM event") == ["applied"]


def _envelope():
    told = {"id": "evt_1", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered"}
    return {**told, "livemode": False, "created": "2026-11-20T00:00:05.000Z", "context": None, "related_object": None}

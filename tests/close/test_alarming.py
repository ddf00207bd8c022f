"""What the questions of the kinds of alarm answer, and when they stop."""

import pytest

from service.ledger.actions import Order, note_action
from service.unbilled import Unbilled
from tests.close.conftest import invoice, item, line, second, subscription

SECOND = 1 / 86_400
MINUTE = 60 * SECOND
ATTEMPTED = """
INSERT INTO attempt
    (lane_id, meter_event_id, generation, idempotency_key, fence, started_at, ended_at, outcome)
SELECT lane_id, meter_event_id, 1, 'key', 1, '2026-01-01Z', '2026-01-01Z', 'unknown' FROM meter_event
WHERE state = 'sealed'
"""
REFUSED = (
    "UPDATE meter_event SET state = 'refused', due_at = NULL, reason = 'no such customer' WHERE meter_event_id = 1"
)
PAUSED = "INSERT INTO pause (account, meter, actor, reason) VALUES ('default', %s, 'ada', 'a test')"
EVERY_KIND = ["unbilled", "unsendable", "trial", "discarded", "closing", "straddling", "differs"]


def figures(books, kind):
    return [(alarm["rows"], alarm["units"]) for alarm in books.alarms(kind)]


def discard(books, letter):
    order = Order(actor="ada", reason="there is no such customer")
    with books.ledger.transaction() as tx:
        note_action(tx, order, "discard", subject=letter, before="refused", after="discarded")


@pytest.fixture
def used(books):
    """Books with a meter, its customer read."""
    books.meter()
    return books


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_an_empty_ledger_has_nothing_to_say(used, kind):
    assert used.alarms(kind) == []


def test_rows_of_a_customer_without_subscription_are_told_before_they_are_sealed_and_after(used):
    used.use(3, at=-1)
    just_now = figures(used, "unbilled")
    used.pass_days(16 * SECOND)
    unsealed = figures(used, "unbilled")
    used.seal()

    assert (just_now, unsealed, figures(used, "unbilled")) == ([], [(1, 3)], [(1, 3)])


def test_rows_of_a_meter_that_stripe_lacks_are_told_with_how_to_make_it_until_they_are_billed(used):
    used.tell(subscription(), at=-10)
    used.write("DELETE FROM meter")
    used.use(3, at=-1)
    used.pass_days(16 * SECOND)
    (alarm,) = used.alarms("unbilled")
    used.meter()

    assert (alarm["rows"], alarm["units"], alarm["is_urgent"]) == (1, 3, False)
    assert alarm["said"] == "no meter tokens is known at Stripe; create it with meterpost meter create tokens"
    assert figures(used, "unbilled") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM meter", "no meter tokens is known at Stripe; create it with meterpost meter create tokens"),
        (
            "UPDATE meter SET is_active = false",
            "the meter tokens is not active at Stripe, so that nothing of it is sent",
        ),
        (
            "UPDATE meter SET event_time_window = 'hour'",
            "the meter tokens is of a kind that nothing is sent to; see meterpost doctor",
        ),
    ],
)
def test_of_usage_that_is_sent_in_silence_what_no_meter_takes_is_told_until_one_does(used, change, said):
    used.use(3, at=-1)
    used.write(change)
    just_now = figures(used, "unsendable")
    used.pass_days(16 * SECOND)
    told = [(one["subject"], one["rows"], one["units"], one["said"]) for one in used.alarms("unsendable")]
    used.meter()

    assert (just_now, told) == ([], [("cus_1/tokens", 1, 3, said)])
    assert figures(used, "unsendable") == []


@pytest.mark.parametrize(("at", "is_urgent"), [(-31, False), (-33, True)])
def test_what_no_meter_takes_is_urgent_while_stripe_would_still_take_it(used, at, is_urgent):
    used.write("DELETE FROM meter")
    used.use(3, at=at)
    used.pass_days(16 * SECOND)

    assert [one["is_urgent"] for one in used.alarms("unsendable")] == [is_urgent]


def test_a_backdated_subscription_that_covers_the_time_clears_it(used):
    used.use(3, at=-1)
    used.use(4, at=-11)
    used.seal()
    both = figures(used, "unbilled")
    used.tell(subscription(), at=0)

    assert (both, figures(used, "unbilled")) == ([(2, 7)], [(1, 4)])


def test_what_stripe_refuses_of_unbilled_usage_stays_an_alarm_that_names_it_until_a_person_decides(used):
    for at in (-1, -2):
        used.use(3, at=at)
        used.seal()
    used.write(REFUSED)
    (alarm,) = used.alarms("unbilled")
    discard(used, "me-1")

    assert (alarm["rows"], alarm["units"]) == (2, 6)
    assert alarm["said"].endswith("; Stripe refused 1 meter event of it, which is on the desk as me-1")
    assert figures(used, "unbilled") == [(1, 3)]


def test_usage_after_a_cancellation_that_is_learnt_later_is_unbilled(used):
    used.tell(subscription(), at=-10)
    used.use(3, at=-1)
    used.seal()
    used.tell(subscription(status="canceled", ended_at=-2), at=-2)

    assert figures(used, "unbilled") == [(1, 3)]


def test_what_a_renewal_that_is_not_told_yet_will_bill_is_no_alarm(used):
    used.tell(subscription(item(end=-1)), at=-10)
    used.use(3, at=-0.5)
    used.pass_days(MINUTE)
    before = figures(used, "unbilled")
    used.tell(subscription(item(start=-1, end=29)), at=-1)

    assert (before, figures(used, "unbilled")) == ([], [])


def test_what_is_held_is_let_go_when_a_subscription_appears(used):
    used.unbilled = Unbilled.HOLD
    used.use(3, at=-1)
    used.use(4, at=-11)
    sealed = [used.seal(), used.seal()]
    used.tell(subscription(), at=0)

    assert (sealed, used.seal()) == ([0, 0], 1)
    assert used.ask("SELECT value, is_unbilled FROM meter_event") == [(3, False)]


def test_what_is_held_is_let_go_before_it_is_too_old_and_urgent_by_then(used):
    used.unbilled = Unbilled.HOLD
    used.use(3, at=-1)
    used.seal()
    used.pass_days(31.5)
    (alarm,) = used.alarms("unbilled")
    used.pass_days(1)
    used.write("UPDATE unsealed SET seal_at = ledger_now()")

    assert (alarm["is_urgent"], used.seal()) == (True, 1)


def test_the_billed_half_of_a_bucket_does_not_wait_for_the_other(used):
    used.unbilled = Unbilled.HOLD
    used.tell(subscription(item(start=-1 + MINUTE), start_date=-1 + MINUTE), at=0)
    used.use(3, at=-1 + 30 * SECOND)
    used.use(4, at=-1 + 90 * SECOND)

    assert used.seal() == 1
    assert used.ask("SELECT value FROM meter_event") == [4]


def test_usage_of_a_trial_is_told_until_its_invoice_is_final(used):
    used.tell(subscription(item(end=0), trial_start=-10, trial_end=0, status="trialing"), at=-10)
    used.use(3, at=-1)
    used.seal()
    on_trial = figures(used, "trial")
    used.tell(invoice(line(start=-10, end=0, quantity=3), at=0), at=0)

    assert (on_trial, figures(used, "trial")) == ([(1, 3)], [])


def test_usage_of_a_subscription_that_was_cancelled_at_once_is_told_until_an_invoice_has_it(used):
    used.tell(subscription(), at=-10)
    used.use(3, at=-2)
    used.seal()
    used.tell(subscription(status="canceled", ended_at=-1), at=-1)
    discarded = figures(used, "discarded")
    used.tell(invoice(line(start=-10, end=-1, quantity=3), at=-1), at=-1)

    assert (discarded, figures(used, "discarded")) == ([(1, 3)], [])


def test_usage_of_an_old_price_is_discarded_once_the_next_invoice_is_final_without_it(used):
    used.tell(subscription(item(end=-1)), at=-10)
    used.use(3, at=-6)
    used.seal()
    used.tell(subscription(item(price="price_2", end=-1)), at=-5)
    pending = figures(used, "discarded")
    used.tell(invoice(line(price="price_2", start=-5, end=-1), at=-0.5), at=-0.5)

    assert (pending, figures(used, "discarded")) == ([], [(1, 3)])


def test_usage_of_a_draft_is_told_when_its_time_comes_near(used):
    used.tell(subscription(item(end=-0.1)), at=-10)
    used.use(3, at=-1)
    used.seal()
    draft = invoice(line(start=-10, end=-0.1), status="draft", automatically_finalizes_at=None)
    for seconds, deadline in ((1, 3600), (2, 600)):
        at = used.ask("SELECT extract(epoch FROM ledger_now())::bigint")[0] + deadline
        used.tell(draft | {"automatically_finalizes_at": at}, at=seconds)
        told = figures(used, "closing")
        assert told == ([] if deadline == 3600 else [(1, 3)])
    used.accept()

    assert figures(used, "closing") == []


@pytest.mark.parametrize("meter", ["*", "tokens"])
def test_what_a_pause_holds_back_of_a_draft_is_said_to_wait_for_its_end(used, meter):
    used.tell(subscription(item(end=-0.1)), at=-10)
    used.use(3, at=-1)
    used.seal()
    used.tell(invoice(line(start=-10, end=-0.1), status="draft", automatically_finalizes_at=second(0)), at=0)
    (on_its_way,) = used.alarms("closing")
    used.write(PAUSED, meter)

    (paused,) = used.alarms("closing")
    assert on_its_way["said"] == "1 of 1 rows are on their way, 0 held or refused"
    assert paused["said"] == "1 of 1 rows wait for meterpost resume, 0 held or refused"


def test_what_is_held_of_a_draft_is_a_page_at_once(used):
    used.tell(subscription(item(end=-0.1)), at=-10)
    used.use(3, at=-1)
    used.seal()
    used.write("UPDATE meter_event SET state = 'held', due_at = NULL, reason = 'a test says so'")
    used.tell(invoice(line(start=-10, end=-0.1), status="draft"), at=0)

    assert [(alarm["is_urgent"], alarm["units"]) for alarm in used.alarms("closing")] == [(True, 3)]


def test_the_units_on_the_other_side_of_a_boundary_learnt_later_are_told(used):
    used.tell(subscription(), at=-10)
    for value, seconds in ((1, 20), (2, 40), (4, 50)):
        used.use(value, at=-1 + seconds * SECOND)
    used.seal()
    used.tell(subscription(item(price="price_2")), at=-1 + 30 * SECOND)

    assert figures(used, "straddling") == [(2, 6)]


def test_a_final_line_that_is_not_what_the_ledger_has_differs(used):
    used.tell(subscription(item(end=-0.1)), at=-10)
    used.use(3, at=-1)
    used.seal()
    used.accept()
    used.tell(invoice(line(start=-10, end=-0.1, quantity=5), at=1), at=1)

    (alarm,) = used.alarms("differs")
    assert (alarm["rows"], alarm["units"]) == (0, -2)
    assert alarm["said"] == "the invoice has 5, which is more than the 3 of ours at Stripe: who else reports?"


def test_what_was_in_doubt_when_the_invoice_was_final_differs_from_then_on(used):
    used.tell(subscription(item(end=-0.1)), at=-10)
    used.use(3, at=-2)
    used.seal()
    used.accept()
    used.use(4, at=-1)
    used.seal()
    used.write(ATTEMPTED)
    used.tell(invoice(line(start=-10, end=-0.1, quantity=3), at=1), at=1)
    (in_doubt,) = used.alarms("differs")
    used.pass_days(2)
    used.accept()

    (alarm,) = used.alarms("differs")
    assert (in_doubt["subject"], in_doubt["rows"], in_doubt["units"]) == (alarm["subject"], 1, 4)
    assert (figures(used, "late"), alarm["rows"], alarm["units"]) == ([], 1, 4)
    assert alarm["said"] == "the invoice has 3, which is less than the 7 of ours at Stripe: the rest is billed nowhere"


def test_what_came_too_late_for_certain_is_late_and_no_difference(used):
    used.tell(subscription(item(end=-0.1)), at=-10)
    used.use(3, at=-1)
    used.seal()
    used.tell(invoice(line(start=-10, end=-0.1), at=0.01), at=0.01)
    used.pass_days(1)
    used.accept()

    assert (figures(used, "differs"), figures(used, "late")) == ([], [(1, 3)])

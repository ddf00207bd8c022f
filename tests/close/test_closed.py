"""What waited or was in doubt when its invoice was final is in an alarm from then on, whatever becomes of it."""

import pytest

from service.correcting import Change
from service.ledger.actions import Order
from service.ledger.answers import Declined
from service.ledger.correcting import Target, correct
from service.ledger.late import carry, read_late_id, waive
from service.ledger.pauses import pause
from tests.close.conftest import invoice, item, line, subscription

ATTEMPTED = """
INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence, started_at, ended_at, outcome)
SELECT lane_id, meter_event_id, 1, 'key', 1, ledger_now() - %s * interval '1 day', ledger_now(), 'unknown'
FROM meter_event
WHERE state = 'sealed'
"""
BEFORE, AFTER = 1, 0  # when the call was begun, in days ago; the invoice was final in between
MOVED = """
UPDATE meter_event
SET state = %s, reason = 'a test says so', due_at = CASE WHEN %s = 'unknown' THEN ledger_now() END
WHERE state = 'sealed'
"""
TAKEN = "UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = ledger_now() - interval '2 days'"
END = -0.1


@pytest.fixture
def used(books):
    """Books with 3 units at Stripe and 4 that are sealed, of a period that is over."""
    books.meter()
    books.tell(subscription(item(end=END)), at=-10)
    books.use(3, at=-3)
    books.seal()
    books.write(TAKEN)
    books.use(4, at=-1)
    return books


def move(books, state):
    if state != "sealed":
        books.write(MOVED, state, state)


def finalize(books, quantity=3, *, at=END + 0.05):
    books.tell(invoice(line(start=-10, end=END, quantity=quantity), at=at), at=at)


def told(books):
    """Rows and units of each alarm about a final invoice."""
    return {
        kind: (one["subject"].split("/")[0], one["rows"], one["units"])
        for kind in ("closing", "late", "differs")
        for one in books.alarms(kind)
    }


def said(books, kind):
    (one,) = books.alarms(kind)
    return one["said"]


@pytest.mark.parametrize("is_sealed", [False, True], ids=["unsealed", "sealed"])
def test_what_nobody_sends_is_late_from_the_moment_at_which_its_invoice_is_final(used, is_sealed):
    if is_sealed:
        used.seal()
    finalize(used)

    assert told(used) == {"late": ("in_1", 1, 4)}
    assert "1 wait to be sent and 0 may or may not be at Stripe" in said(used, "late")


def test_what_waits_at_the_finalization_is_late_without_a_moment_between(used):
    used.seal()
    move(used, "held")
    draft = invoice(line(start=-10, end=END), status="draft")
    used.tell(draft, at=END)
    before = told(used)
    finalize(used)

    assert (before, told(used)) == ({"closing": ("in_1", 1, 4)}, {"late": ("in_1", 1, 4)})


@pytest.mark.parametrize("state", ["unknown", "held", "conflict"])
def test_what_was_called_for_after_its_invoice_was_final_is_late_also_while_it_is_in_doubt(used, state):
    used.seal()
    finalize(used)
    used.write(ATTEMPTED, AFTER)
    move(used, state)

    assert told(used) == {"late": ("in_1", 1, 4)}
    assert "0 wait to be sent and 1 may or may not be at Stripe" in said(used, "late")


@pytest.mark.parametrize("state", ["sealed", "unknown", "held", "conflict"])
def test_what_may_have_counted_before_differs_as_far_as_its_invoice_has_it_not(used, state):
    used.seal()
    used.write(ATTEMPTED, BEFORE)
    move(used, state)
    finalize(used)

    assert told(used) == {"differs": ("in_1", 1, 4)}
    assert said(used, "differs").endswith("1 meter events may or may not be at Stripe")


@pytest.mark.parametrize("state", ["unknown", "held"])
def test_what_is_in_doubt_and_on_its_invoice_is_no_alarm(used, state):
    used.seal()
    used.write(ATTEMPTED, BEFORE)
    move(used, state)
    finalize(used, 7)

    assert told(used) == {}


def test_what_was_held_and_is_proven_absent_is_late_and_differs_no_more(used):
    used.seal()
    used.write(ATTEMPTED, BEFORE)
    move(used, "held")
    finalize(used)
    held = told(used)
    used.write("UPDATE meter_event SET state = 'refused', reason = 'late: proven absent' WHERE state = 'held'")

    assert (held, told(used)) == ({"differs": ("in_1", 1, 4)}, {"late": ("in_1", 1, 4)})


def test_what_is_sent_at_last_is_late_under_the_same_name_until_a_person_decides(used):
    used.seal()
    finalize(used)
    waiting = told(used)
    used.accept()
    sent = told(used)
    used.tell(subscription(item(start=END, end=20)), at=END)
    with used.ledger.transaction() as tx:
        late = read_late_id("in_1/cus_1/tokens")
        carry(tx, "default", late, order=Order(actor="ada", reason="bill it"), timing=used.timing)

    assert waiting == sent == {"late": ("in_1", 1, 4)}
    assert told(used) == {}


def test_what_a_person_discarded_in_doubt_is_no_alarm(used):
    used.seal()
    used.write(ATTEMPTED, BEFORE)
    move(used, "held")
    finalize(used)
    used.write(
        "INSERT INTO operator_action (actor, verb, subject, reason, state_before, state_after)"
        " SELECT 'ada', 'discard', 'me-' || meter_event_id, 'no', state, 'discarded' FROM meter_event"
        " WHERE state = 'held'"
    )

    assert told(used) == {}


def test_what_waits_of_a_final_line_without_a_quantity_is_late_also_if_it_may_have_counted(used):
    used.seal()
    used.write(ATTEMPTED, BEFORE)
    move(used, "held")
    finalize(used)
    used.write("ALTER TABLE stretch DISABLE TRIGGER stretch_closes_once")
    used.write("UPDATE stretch SET billed = NULL")
    used.write("ALTER TABLE stretch ENABLE TRIGGER stretch_closes_once")

    assert told(used) == {"late": ("in_1", 1, 4)}


def test_what_adds_up_to_nothing_is_not_late_while_it_waits(used):
    used.use(-4, at=-1)
    finalize(used)

    assert told(used) == {}


@pytest.mark.parametrize("is_sealed", [False, True], ids=["unsealed", "sealed"])
def test_what_waits_and_is_on_no_invoice_is_not_taken_back_from_the_period_of_now(used, is_sealed):
    if is_sealed:
        used.seal()
    finalize(used)
    used.tell(subscription(item(start=END, end=20)), at=END)
    (entry_id,) = used.ask("SELECT entry_id FROM entry WHERE value = 4")
    with used.ledger.transaction() as tx:
        order, target = Order(actor="ada", reason="a test export"), Target(name="it", entry_id=entry_id)
        found = correct(tx, target, Change(), order=order, is_only_writer=True, timing=used.timing)

    assert isinstance(found.answer, Declined)
    assert found.answer.text.startswith("its invoice was final without it, so it is not billed")


def test_nothing_differs_on_the_invoice_of_a_trial(books):
    books.meter()
    books.tell(subscription(item(end=END), trial_start=-10, trial_end=END, status="trialing"), at=-10)
    books.use(4, at=-1)
    books.seal()
    finalize(books, 0)
    books.pass_days(1)
    books.accept()

    assert told(books) == {}


ADA = Order(actor="ada", reason="an outage")
HELD = "1 of its rows are held until Stripe's books say whether it has them; see meterpost dead show me-2"
CONFLICT = "Stripe's books contradict ours about 1 of its rows; set it right first, see meterpost dead show me-2"
UNKNOWN = "1 of its rows may or may not be at Stripe, which is asked again; see meterpost row show me-2"
WAITS = "1 of its rows wait to be sent; ask again once they are; meterpost status says what keeps them"


def decided(books, how, subject):
    with books.ledger.transaction() as tx:
        answer = how(tx, "default", read_late_id(subject), order=ADA, timing=books.timing)
    assert isinstance(answer, Declined)
    return answer.text


@pytest.mark.parametrize("how", [carry, waive])
@pytest.mark.parametrize("subject", ["in_1/cus_1/tokens", "me-2"])
@pytest.mark.parametrize(
    ("state", "why"), [("sealed", WAITS), ("unknown", UNKNOWN), ("held", HELD), ("conflict", CONFLICT)]
)
def test_what_is_not_decided_yet_is_neither_carried_nor_waived_and_says_until_when(used, how, subject, state, why):
    used.seal()
    finalize(used)
    move(used, state)

    assert decided(used, how, subject) == f"not decided yet: {why}"


@pytest.mark.parametrize(
    ("meters", "commands"),
    [
        ("*", "meterpost resume"),
        (["tokens"], "meterpost resume --meter tokens"),
        (["*", "tokens", "others"], "meterpost resume and meterpost resume --meter tokens"),
    ],
)
def test_what_a_pause_keeps_is_decided_about_after_it(used, meters, commands):
    used.use(5, at=-1)
    used.seal()
    finalize(used)
    with used.ledger.transaction() as tx:
        for meter in meters:
            pause(tx, "default", meter, order=ADA)

    said = f"2 of its rows wait to be sent; sending is paused, so resume it first ({commands}), and ask again"
    assert decided(used, waive, "in_1/cus_1/tokens") == f"not decided yet: {said}"


def test_what_is_not_sealed_yet_is_decided_about_later(used):
    finalize(used)
    said = "not decided yet: 1 of its rows are not sealed yet; ask again in some minutes"
    assert decided(used, carry, "in_1/cus_1/tokens") == said

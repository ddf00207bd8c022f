"""Late usage carried into the open period or waived: once, on the books, and rolled back where it is a dry run."""

import pytest

from service.ledger import late
from service.ledger.actions import Order
from service.ledger.answers import Acted, Declined, Unneeded
from service.timing import FAST

ADA = Order(actor="ada", reason="an outage")
STRETCH = """
    INSERT INTO stretch (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id, is_trial,
        invoice, closed_at)
    SELECT 'default', 'si_1', 'price_1', %s + %s * interval '1 hour', %s + %s * interval '1 hour', 'sub_1', 'cus_1',
        'mtr_tokens', false, x.invoice, CASE WHEN x.invoice IS NOT NULL THEN %s + interval '90 minutes' END
    FROM (SELECT %s::text AS invoice) AS x
"""
SUBJECT = "in_1/cus_1/tokens"


@pytest.fixture
def told(books):
    """Late usage of a period that has a successor, unless it says otherwise; returns the meter events."""

    def put(*values, formula="sum", is_followed=True):
        hour = books.hour
        books.write(STRETCH, hour, -1, hour, 1, hour, "in_1")
        if is_followed:
            books.write(STRETCH, hour, 1, hour, 700, hour, None)
        books.meter(formula=formula)
        books.record(*(books.row("cus_1", value, at=600 * number) for number, value in enumerate(values)))
        books.seal("cus_1")
        return books.sent("meter_event_id")

    return put


@pytest.fixture
def decide(books):
    def decided(how, target):
        with books.ledger.transaction() as tx:
            return how(tx, "default", late.read_late_id(target), order=ADA, timing=FAST)

    return decided


def carried(books):
    return books.ask("SELECT row_id, value FROM entry WHERE source = 'meterpost' ORDER BY value")


def test_a_late_meter_event_is_carried_as_one_entry_of_now(books, told, decide, desk):
    (made,) = told(5)

    answer = decide(late.carry, f"me-{made}")

    assert isinstance(answer, Acted)
    assert answer.text == "5 units of 1 rows, missing on in_1; billed with the period of now"
    assert carried(books) == [(f"carry-me-{made}", 5)]
    assert books.ask(
        "SELECT occurred_at > ledger_now() - interval '1 minute' FROM entry WHERE source = 'meterpost'"
    ) == [True]
    assert desk.letters() == []
    assert desk.actions() == [("carry", f"me-{made}", "late", "carried")]


def test_asked_twice_it_is_carried_once(books, told, decide):
    (made,) = told(5)
    decide(late.carry, f"me-{made}")

    answer = decide(late.carry, f"me-{made}")

    assert isinstance(answer, Unneeded)
    assert answer.text.startswith("it was carried by ada at")
    assert len(carried(books)) == 1


def test_all_of_an_invoice_and_lane_is_carried_together(books, told, decide, desk):
    first, second = told(5, 6)
    answer = decide(late.carry, SUBJECT)

    assert answer.text.startswith("11 units of 2 rows")
    assert carried(books) == [(f"carry-me-{first}", 5), (f"carry-me-{second}", 6)]
    assert desk.actions() == [("carry", SUBJECT, "late", "carried")]
    assert isinstance(decide(late.waive, SUBJECT), Unneeded)
    assert isinstance(decide(late.carry, f"me-{first}"), Unneeded)


def test_what_was_waived_stays_unbilled_and_leaves_the_desk(books, told, decide, desk):
    (made,) = told(5)

    assert isinstance(decide(late.waive, f"me-{made}"), Acted)

    assert (carried(books), desk.letters()) == ([], [])
    assert books.ask("SELECT kind, units FROM correction") == [("waived", 0)]
    assert desk.retried(f"me-{made}").text.startswith("it was waived by ada")
    assert books.sent("state") == ["refused"]


def test_each_event_of_a_count_meter_is_carried_by_itself(books, told, decide):
    told(5, 6, formula="count")
    decide(late.carry, SUBJECT)
    assert [value for _, value in carried(books)] == [5, 6]
    assert books.ask("SELECT units FROM correction") == [1, 1]


def test_a_last_value_is_not_carried(books, told, decide):
    told(5, formula="last")
    answer = decide(late.carry, SUBJECT)
    assert isinstance(answer, Declined)
    assert "an old value would stand for now" in answer.text


def test_nothing_is_carried_where_nothing_would_bill_it(books, told, decide):
    told(5, is_followed=False)
    answer = decide(late.carry, SUBJECT)
    assert isinstance(answer, Declined)
    assert answer.text.startswith("no open period of cus_1 bills tokens now")
    assert carried(books) == []


def test_what_is_not_late_is_neither_carried_nor_waived(books, decide, a_meter_event):
    made = a_meter_event("accepted")
    answers = [decide(how, target) for how in (late.carry, late.waive) for target in (f"me-{made}", SUBJECT, "me-99")]
    assert {answer.text for answer in answers} == {"nothing of it is late; see meterpost late list"}


def test_a_carried_entry_is_sealed_and_sent_like_any_other(books, told, decide):
    (made,) = told(5)
    decide(late.carry, f"me-{made}")
    books.write("UPDATE unsealed SET seal_at = ledger_now() - interval '1 hour'")
    books.seal("cus_1")
    assert books.ask("SELECT state, value FROM meter_event ORDER BY meter_event_id") == [("refused", 5), ("sealed", 5)]


@pytest.mark.parametrize("text", ["x", "q-5", "in_1/cus_1", "in_1//tokens", "me-0"])
def test_other_texts_name_no_late_usage(text):
    with pytest.raises(late.NoLateId, match="names no late usage"):
        late.read_late_id(text)

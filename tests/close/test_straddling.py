"""What a boundary divides learnt later: its units are in one alarm, with their money, until it is set right."""

from decimal import Decimal

import pytest

from service.alarms import KINDS
from service.correcting import Change
from service.ledger.actions import Order
from service.ledger.answers import Acted
from service.ledger.correcting import Target, correct
from tests.close.conftest import DAY, TODAY, invoice, item, line, subscription
from workers._watching import Watcher

SECOND = 1 / 86_400
NOON = -0.5
EDGE = NOON + 122 * SECOND
NO_STRIPE = None  # the prices are known
TAKEN = "UPDATE meter_event SET state = 'accepted', due_at = NULL, accepted_at = %s"
ORDER = Order(actor="ada", reason="the other period's")
PRICE = {
    "id": "price_1",
    "object": "price",
    "currency": "usd",
    "active": True,
    "billing_scheme": "tiered",
    "tiers_mode": "graduated",
    "tiers": [
        {"up_to": 100, "unit_amount_decimal": "0", "flat_amount_decimal": None},
        {"up_to": None, "unit_amount_decimal": "7", "flat_amount_decimal": None},
    ],
    "recurring": {"usage_type": "metered", "meter": "mtr_tokens"},
}


@pytest.fixture
def straddled(books):
    """Books with 6 units of before a boundary in the meter event of noon, and 4 of after it; it is not known yet."""
    books.meter()
    books.use(6, at=NOON)
    books.use(4, at=NOON + 150 * SECOND)
    return books


def change_price(books):
    """The price changed at the boundary, and nobody heard of it before all was sealed."""
    books.tell(subscription(), at=-10)
    books.seal()
    books.tell(subscription(item(price="price_2")), at=EDGE)


def backdate(books):
    """The customer subscribed at the boundary, and nobody heard of it before all was sealed."""
    books.use(50, at=-1)
    books.seal()
    books.tell(subscription(item(start=EDGE), start_date=EDGE), at=0)


def figures(books, kind):
    return [(one["rows"], one["units"], one["stretch_start"]) for one in books.alarms(kind)]


def entered(books):
    """What corrections entered, in seconds from noon."""
    found = books.ask("SELECT value, occurred_at FROM entry WHERE source = 'meterpost'")
    return [(value, round(((at - TODAY) / DAY - NOON) * 86_400)) for value, at in found]


def corrected(books, change, **target):
    with books.ledger.transaction() as tx:
        wanted = Target(name="it", **target)
        return correct(tx, wanted, change, order=ORDER, is_only_writer=False, timing=books.timing).answer


def test_a_row_that_counts_on_the_other_side_is_taken_back_where_it_counts(straddled):
    change_price(straddled)
    straddled.accept()
    (entry_id,) = straddled.ask("SELECT entry_id FROM entry WHERE value = 4")

    assert isinstance(corrected(straddled, Change(), entry_id=entry_id), Acted)

    assert entered(straddled) == [(-4, 0)]
    assert straddled.alarms("straddling") == []


def test_a_row_whose_invoice_is_open_counts_where_it_is_final(straddled):
    """Its meter event's invoice is final, so that the period of now has what takes it back."""
    change_price(straddled)
    straddled.write(TAKEN, TODAY + NOON * DAY)
    straddled.tell(invoice(line(start=-10, end=EDGE, quantity=10), at=EDGE), at=EDGE + SECOND)
    (entry_id,) = straddled.ask("SELECT entry_id FROM entry WHERE value = 4")

    assert isinstance(corrected(straddled, Change(), entry_id=entry_id), Acted)

    ((value, at),) = entered(straddled)
    assert (value, at > 150) == (-4, True)


def test_a_row_that_is_not_sealed_is_taken_back_at_its_own_time(straddled):
    straddled.tell(subscription(), at=-10)
    (entry_id,) = straddled.ask("SELECT entry_id FROM entry WHERE value = 4")
    corrected(straddled, Change(), entry_id=entry_id)
    assert entered(straddled) == [(-4, 150)]


def test_the_alarm_says_what_sets_it_right(straddled):
    change_price(straddled)
    (alarm,) = straddled.alarms("straddling")
    straddled.accept()
    corrected(straddled, Change(by=Decimal(-4)), meter_event_id=1)

    assert f"meterpost correct {alarm['subject']} --by -4 takes its units of after it" in alarm["said"]
    assert "and a row of 4 at" in alarm["said"]
    assert (entered(straddled), straddled.alarms("straddling")) == ([(-4, 0)], [])


def test_units_that_a_backdated_start_bills_and_no_stretch_counts_are_in_one_alarm(straddled):
    backdate(straddled)

    assert figures(straddled, "straddling") == [(1, 4, TODAY + EDGE * DAY)]
    assert figures(straddled, "unbilled") == [(2, 56, None)]


def test_they_are_worth_what_the_invoice_lacks_by_its_tiers(straddled):
    """Of 102 units that the stretch should have, 2 are beyond what is included; it has 98."""
    straddled.tell(PRICE, at=0)
    straddled.use(98, at=0)
    backdate(straddled)
    kinds = [kind for kind in KINDS if kind.name == "straddling"]
    Watcher(straddled.ledger, NO_STRIPE, "default", timing=straddled.timing, kinds=kinds).ask_due()

    assert straddled.ask("SELECT units, amount, amount_rounded FROM alarm") == [(4, 14, 14)]


def test_units_that_a_stretch_counts_and_nothing_bills_are_in_one_alarm(straddled):
    """The other way round, at an end that is learnt later."""
    straddled.tell(subscription(), at=-10)
    straddled.seal()
    straddled.tell(subscription(status="canceled", ended_at=EDGE), at=EDGE)

    assert figures(straddled, "straddling") == [(1, 4, TODAY - 10 * DAY)]
    assert figures(straddled, "unbilled") == []


def test_what_a_person_corrects_of_it_is_unbilled_as_far_as_it_stays(straddled):
    backdate(straddled)
    straddled.accept()
    (meter_event_id,) = straddled.ask("SELECT meter_event_id FROM meter_event WHERE value = 10")
    corrected(straddled, Change(by=Decimal(-4)), meter_event_id=meter_event_id)
    straddled.seal()

    assert figures(straddled, "straddling") == []
    assert [units for _, units, _ in figures(straddled, "unbilled")] == [56]

"""The doctor asks for time in which what is held can be read back before its invoice is final."""

from datetime import timedelta

import pytest

from service.doctor_drafts import examine_drafts
from service.findings import Severity
from service.ledger.draft_holds import draft_grace
from tests.close.conftest import invoice, line, second

HOUR = timedelta(hours=1)
NO_HOLD = timedelta()


@pytest.mark.parametrize(
    ("grace", "held", "severity"),
    [
        (1 * HOUR, NO_HOLD, Severity.WARNING),
        (1 * HOUR, 24 * HOUR, Severity.WARNING),
        (48 * HOUR, NO_HOLD, Severity.FINE),
        (1 * HOUR, 48 * HOUR, Severity.FINE),
        (None, NO_HOLD, Severity.FINE),
    ],
)
def test_less_than_two_days_between_a_period_and_its_invoice_is_a_warning(grace, held, severity):
    assert examine_drafts(grace, held=held).severity is severity


def test_how_long_stripe_waits_is_told_by_the_drafts_that_are_mirrored(books):
    books.meter()
    nothing_known = draft_grace_of(books)
    told = {"status": "draft", "created": second(0), "automatically_finalizes_at": second(0) + 3600}
    books.tell(invoice(line(start=-10, end=0), **told), at=0)

    assert (nothing_known, draft_grace_of(books)) == (None, HOUR)


def draft_grace_of(books):
    with books.ledger.transaction() as tx:
        return draft_grace(tx, "default")

"""The doctor says how far Stripe's lists are read, what was missed and what is lost."""

from datetime import timedelta

import pytest

from service import settings
from service.catching_up import KEPT
from service.doctor_events import check_events
from service.findings import Severity

GRACE = timedelta(minutes=1)


@pytest.fixture
def found(shop):
    """Names and severities of what the doctor finds."""
    return lambda: [(one.name, one.severity) for one in check_events(settings.load())]


def test_lists_that_were_never_read_are_a_warning(found):
    assert found() == [("caught up", Severity.WARNING)]


def test_lists_read_just_now_are_fine(shop, found):
    shop.catch_up_all()

    assert found() == [("caught up", Severity.FINE)]


def test_lists_that_nobody_reads_any_more_are_a_warning(shop, found):
    shop.catch_up_all()
    shop.pass_time(timedelta(hours=2))

    assert found() == [("caught up", Severity.WARNING)]


def test_what_was_missed_is_a_warning_until_it_is_pushed(shop, found):
    (missed,) = shop.make_customers(1)
    shop.catch_up_all()
    shop.pass_time(GRACE)
    shop.catch_up_all()
    before = found()
    shop.push(missed)

    assert before == [("caught up", Severity.FINE), ("missed events", Severity.WARNING)]
    assert found() == [("caught up", Severity.FINE)]


def test_a_gap_is_a_failure(shop, found):
    shop.catch_up_all()
    shop.pass_time(KEPT + timedelta(days=1))
    shop.catch_up_all()

    assert found() == [("caught up", Severity.FINE), *[("event gap", Severity.FAILURE)] * 2]

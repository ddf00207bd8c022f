"""What a retry at the desk must neither stop for a day nor let through unseen."""

from service.ledger.answers import Declined
from service.ledger.remedies import retry
from service.timing import FAST


def test_a_row_in_doubt_waits_for_no_earlier_one_that_a_person_has_retried(shop):
    customer = shop.tell(coupon="WELCOME", row_id="s1")
    shop.work()
    shop.tell(customer=customer, row_id="s2")
    shop.fault("connection_reset", times=1)
    subscriber = shop.another_subscriber(timing=FAST)
    subscriber.turn(shop.lease())

    shop.order("su-1", retry)
    shop.pass_time(seconds=6)
    subscriber.drain("default", 0)

    assert shop.states()["s2"] == "created"


def test_a_row_that_corrects_a_created_one_is_not_made_by_a_second_look(shop):
    shop.tell(row_id="s1")
    shop.work()
    customer = shop.tell(row_id="s2", replaces="s1")

    assert isinstance(shop.order("su-2", retry), Declined)

    shop.work()
    assert shop.made(customer) == []

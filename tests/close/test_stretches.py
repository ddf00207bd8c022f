"""Who bills what, when: learnt from every word, the same in whatever order the words come."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.close.conftest import invoice, item, line, subscription

NEXT = {"start": 20, "end": 50}
PLAN_CHANGE = [
    (subscription(), -10),
    (subscription(item(price="price_2")), 5),
    (subscription(item(price="price_2", **NEXT)), 20),
    (invoice(line(start=-10, end=5, quantity=3), line(price="price_2", start=5, end=20, quantity=4), at=21), 21),
]
TRIAL_EXTENDED = [
    (subscription(item(end=0), trial_start=-10, trial_end=0, status="trialing"), -10),
    (subscription(item(end=4), trial_start=-10, trial_end=4, status="trialing"), -1),
    (subscription(item(start=4, end=34), trial_start=-10, trial_end=4), 4),
]
CANCELLED = [
    (subscription(), -10),
    (subscription(cancel_at=20), 0),
    (subscription(status="canceled", ended_at=3), 3),
]
ITEM_SWAPPED = [
    (subscription(), -10),
    (subscription(item("si_2", price="price_2", start=2)), 2),
    (subscription(item("si_2", price="price_2", **NEXT)), 20),
]


@pytest.mark.parametrize(
    ("words", "stretches"),
    [
        (
            PLAN_CHANGE,
            [
                ("si_1", "price_1", -10, 5, None, False, "in_1", 3),
                ("si_1", "price_2", 5, 20, None, False, "in_1", 4),
                ("si_1", "price_2", 20, 50, None, False, None, None),
            ],
        ),
        (
            TRIAL_EXTENDED,
            [
                ("si_1", "price_1", -10, 4, None, True, None, None),
                ("si_1", "price_1", 4, 34, None, False, None, None),
            ],
        ),
        (CANCELLED, [("si_1", "price_1", -10, 3, "cancelled", False, None, None)]),
        (
            ITEM_SWAPPED,
            [
                ("si_1", "price_1", -10, 2, "changed", False, None, None),
                ("si_2", "price_2", 2, 20, None, False, None, None),
                ("si_2", "price_2", 20, 50, None, False, None, None),
            ],
        ),
    ],
    ids=["a plan change", "a trial that is extended", "a cancellation at once", "an item that is swapped"],
)
def test_any_order_of_words_tells_the_same_stretches(books, words: list[Any], stretches: list[Any]) -> None:
    for number, order in enumerate(itertools.permutations(words)):
        account = f"order-{number}"
        for told, at in order:
            books.tell(told, at=at, account=account)

        assert books.stretches("cut", "is_trial", "invoice", "billed", account=account) == stretches, order


def test_an_old_subscription_covers_all_of_its_time_from_its_first_word(books):
    books.tell(subscription(start_date=-400), at=0)

    assert books.stretches() == [("si_1", "price_1", -400, -10), ("si_1", "price_1", -10, 20)]


def test_a_period_of_which_no_word_came_is_covered_too(books):
    books.tell(subscription(item(start=-70, end=-40), start_date=-70), at=-70)
    books.tell(subscription(start_date=-70), at=-10)

    assert [stretch[2:4] for stretch in books.stretches()] == [(-70, -40), (-40, -10), (-10, 20)]


def test_two_items_on_one_meter_both_bill_it(books):
    books.tell(subscription(), at=-10)
    books.tell(subscription(item("si_2", price="price_2", start=-5, end=25), id="sub_2", start_date=-5), at=-5)

    assert [stretch[:4] for stretch in books.stretches()] == [("si_1", "price_1", -10, 20), ("si_2", "price_2", -5, 25)]


def test_a_line_of_a_price_that_no_word_named_cuts_the_stretch_in_two(books):
    books.tell(subscription(item(price="price_2")), at=6)
    books.tell({"id": "price_1", "object": "price", "recurring": {"meter": "mtr_tokens"}}, at=6)
    books.tell(invoice(line(start=-10, end=5, quantity=3), at=20), at=20)

    assert books.stretches("invoice") == [("si_1", "price_1", -10, 5, "in_1"), ("si_1", "price_2", 5, 20, None)]


def test_a_draft_closes_nothing_and_a_final_invoice_does_so_once(books):
    books.tell(subscription(), at=-10)
    books.tell(invoice(line(start=-10, end=20, quantity=3), status="draft"), at=20)
    as_a_draft = books.stretches("closed_at")
    books.tell(invoice(line(start=-10, end=20, quantity=3), status="open", at=21), at=21)
    books.tell(subscription(item(**NEXT)), at=20)

    assert as_a_draft == [("si_1", "price_1", -10, 20, None)]
    assert books.stretches("invoice") == [("si_1", "price_1", -10, 20, "in_1"), ("si_1", "price_1", 20, 50, None)]


def test_two_words_of_one_second_are_told_apart_by_the_next_one(books):
    books.tell(subscription(), at=-10)
    for price in ("price_2", "price_1"):
        books.tell(subscription(item(price=price)), at=3)
    books.tell(subscription(item(price="price_2")), at=3.5, is_reading=True)

    assert books.stretches() == [("si_1", "price_1", -10, 3), ("si_1", "price_2", 3, 20)]


def test_a_subscription_that_never_began_bills_nothing(books):
    books.tell(subscription(status="incomplete_expired"), at=-9)

    assert books.stretches() == []


def test_a_word_and_an_invoice_that_come_at_once_miss_nothing_of_each_other(books):
    def tell_of(number: int) -> None:
        """The two words of one subscription, each by a worker of its own."""
        name, its = f"sub_{number}", {"subscription": f"sub_{number}", "subscription_item": f"si_{number}"}
        billed = invoice(line(start=-10, end=0, quantity=3, **its), name=f"in_{number}", at=0)
        words = [(subscription(item(f"si_{number}", end=0), id=name), 0), (billed, 0)]
        list(pool.map(lambda word: books.tell(word[0], at=word[1]), words))

    with ThreadPoolExecutor(2) as pool:
        for number in range(10):
            tell_of(number)

    assert books.ask("SELECT count(*), count(closed_at) FROM stretch") == [(10, 10)]

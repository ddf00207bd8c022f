"""Control of `make periods`: what is lost, doubled, on the wrong invoice or worth something else is seen and said.

So is what is missing at one instant alone, whatever the end is like.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos.periods.alarms import ALARMS
from chaos.periods.invoices import Invoices
from chaos.periods.judge import judge
from chaos.periods.looks import Looks
from chaos.periods.place import UNBILLED_CENTS, Place
from chaos.periods.story import CHEAP, DEAR, DISCARDED, FREE, OPEN, Span, Story, Use

BASE = datetime(2026, 11, 1, tzinfo=UTC)
WHO = "cus_1"
Alarm = tuple[str, str, datetime | None, Decimal, Decimal | None, int | None]


@dataclass(kw_only=True)
class Books:
    """What Stripe lists and which alarms are open, of a world in which all is well; a test spoils it.

    Two weeks of one customer at two prices, one unit of the second late and two straddling; a week free, a day
    discarded, a use that nobody bills, and one of a period that is open.
    """

    lines: list[Any] = field(
        default_factory=lambda: [_line(CHEAP, 0, 100), _line(DEAR, 7, 47), _line(0, 14, 30)],
    )
    cents: int = 100 * CHEAP + 47 * DEAR
    alarms: dict[str, Alarm] = field(
        default_factory=lambda: {
            "late": _alarm("late", 7, units=1, cents=DEAR),
            "straddling": _alarm("straddling", 7, units=2, cents=2 * DEAR),
            "trial": _alarm("trial", 14, units=30, cents=0),
            "discarded": _alarm("discarded", 21, units=8, cents=8 * CHEAP),
            "unbilled": _alarm("unbilled", None, units=5, cents=5 * UNBILLED_CENTS),
        },
    )

    def wrong(self) -> list[str]:
        return judge(self._story()).wrong

    def wrong_now(self) -> list[str]:
        """What a look finds at this instant."""
        looks = Looks(story=self._story(), invoices=Invoices(place=self._place()))
        looks.invoices.read_on()
        looks.look(_at(15.5))
        return looks.wrong

    def change(self, kind: str, *, units: int = 0, cents: int = 0, rounded: int = 0) -> None:
        _, customer, start, old, exact, shown = self.alarms[kind]
        assert exact is not None
        assert shown is not None
        self.alarms[kind] = (kind, customer, start, old + units, exact + cents, shown + cents + rounded)

    def _story(self) -> Story:
        return _story(self._place())

    def _place(self) -> Place:
        lines = SimpleNamespace(data=self.lines)
        invoice = SimpleNamespace(id="in_1", customer=WHO, status="paid", total=self.cents, lines=lines)
        draft = SimpleNamespace(id="in_2", status="draft")
        listed = SimpleNamespace(auto_paging_iter=lambda: iter([draft, invoice]))
        v1 = SimpleNamespace(invoices=SimpleNamespace(list=lambda _: listed))
        return cast("Place", SimpleNamespace(v1=v1, at=_at, ask=self._ask, base=BASE))

    def _ask(self, question: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return [alarm for alarm in self.alarms.values() if alarm[0] in parameters[0]] if question == ALARMS else []


def _at(days: float) -> datetime:
    return BASE + timedelta(days=days)


def _line(cents: int, start: float, quantity: int) -> Any:
    period = SimpleNamespace(start=int(_at(start).timestamp()), end=int(_at(start + 7).timestamp()))
    return SimpleNamespace(quantity=quantity, period=period, pricing=SimpleNamespace(unit_amount_decimal=str(cents)))


def _alarm(kind: str, start: float | None, *, units: int, cents: int) -> Alarm:
    return kind, WHO, None if start is None else _at(start), Decimal(units), Decimal(cents), cents


def _story(place: Place) -> Story:
    story = Story(place=place, chance=Random(1), customers={"one": WHO})
    told = [(CHEAP, 0, 7, "billed"), (DEAR, 7, 14, "billed"), (0, 14, 21, FREE)]
    told += [(CHEAP, 21, 22, DISCARDED), (CHEAP, 24, 31, OPEN)]
    story.spans = [Span(customer=WHO, cents=cents, start=start, end=end, fate=fate) for cents, start, end, fate in told]
    used = ((0, 60), (6.9, 40), (7, 50), (15, 30), (21.5, 8), (23, 5), (25, 9))
    story.used = [Use(customer=WHO, at=_at(day), units=units) for day, units in used]
    return story


def _lose(books: Books) -> None:
    books.lines[0].quantity -= 1
    books.cents -= CHEAP


def _double(books: Books) -> None:
    books.lines[0].quantity += 1
    books.cents += CHEAP


def _bill_on_the_next_invoice(books: Books) -> None:
    books.lines[0].quantity -= 1
    books.lines[1].quantity += 1


def _bill_what_nobody_is_to_pay(books: Books) -> None:
    books.lines.append(_line(CHEAP, 21, 8))
    books.cents += 8 * CHEAP


def _bill_a_stranger(books: Books) -> None:
    books.lines.append(_line(CHEAP, 28, 3))


SPOILT: dict[str, tuple[Callable[[Books], object], str]] = {
    "a lost unit": (_lose, "days 0 to 7 at 7: 100 used, 99 on an invoice, 0 alarmed"),
    "a doubled unit": (_double, "days 0 to 7 at 7: 100 used, 101 on an invoice, 0 alarmed"),
    "a unit on the next invoice": (
        _bill_on_the_next_invoice,
        "days 7 to 14 at 11: 50 used, 48 on an invoice, 3 alarmed",
    ),
    "discarded usage billed after all": (_bill_what_nobody_is_to_pay, "8 used, 8 discarded, 8 billed"),
    "usage of an open period billed": (lambda books: books.lines.append(_line(CHEAP, 24, 9)), "9 billed of an open"),
    "an invoice of nobody's usage": (_bill_a_stranger, "an invoice has 3 units"),
    "an invoice's total off by a cent": (lambda books: setattr(books, "cents", books.cents - 1), "are to be billed"),
    "a late alarm that nobody raised": (lambda books: books.alarms.pop("late"), "50 used, 47 on an invoice, 2 alarmed"),
    "a late alarm off by a unit": (
        lambda books: books.change("late", units=1, cents=DEAR),
        "47 on an invoice, 4 alarmed",
    ),
    "a late alarm off by a cent": (lambda books: books.change("late", cents=-1), "is worth something else"),
    "a late alarm shown off by a cent": (lambda books: books.change("late", rounded=1), "is worth something else"),
    "a straddling alarm without money": (
        lambda books: books.alarms.update(straddling=("straddling", WHO, _at(7), Decimal(2), None, None)),
        "is worth something else",
    ),
    "a discarded alarm off by a cent": (lambda books: books.change("discarded", cents=1), "is worth something else"),
    "a discarded alarm off by a unit": (
        lambda books: books.change("discarded", units=-1),
        "8 used, 7 discarded, 0 billed",
    ),
    "a trial off by a unit": (lambda books: books.change("trial", units=1), "30 used, 31 told as on trial"),
    "an unbilled alarm that nobody raised": (lambda books: books.alarms.pop("unbilled"), "5 units are nobody's"),
    "an unbilled alarm off by a unit": (lambda books: books.change("unbilled", units=-1), "5 units are nobody's"),
    "an unbilled alarm off by a cent": (lambda books: books.change("unbilled", cents=1), "one: Alarm(kind='unbilled'"),
    "an alarm of a time that is billed": (
        lambda books: books.alarms.update(extra=_alarm("closing", 0, units=1, cents=CHEAP)),
        "alarmed as closing",
    ),
    "an alarm of nobody's time": (
        lambda books: books.alarms.update(extra=_alarm("differs", 35, units=1, cents=CHEAP)),
        "an alarm says",
    ),
}


def _open_trial(books: Books) -> None:
    books.lines.pop()
    books.change("trial", units=-1)


SPOILT_NOW: dict[str, tuple[Callable[[Books], object], str]] = {
    "a late alarm that goes too early": (
        lambda books: books.alarms.pop("late"),
        f"on day 15.5, {WHO} days 7 to 14 at 11: 50 used, 47 on an invoice, 2 alarmed",
    ),
    "units in two alarms": (
        lambda books: books.alarms.update(extra=_alarm("differs", 7, units=1, cents=DEAR)),
        "50 used, 47 on an invoice, 4 alarmed",
    ),
    "a trial told short": (_open_trial, "30 used on trial, 29 told"),
}


def test_a_world_in_which_all_is_well_is_judged_so() -> None:
    assert Books().wrong() == []
    assert Books().wrong_now() == []


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT)
def test_each_thing_that_can_be_wrong_is_said(spoil: Callable[[Books], object], said: str) -> None:
    books = Books()

    spoil(books)

    assert [sentence for sentence in books.wrong() if said in sentence]


@pytest.mark.parametrize(("spoil", "said"), SPOILT_NOW.values(), ids=SPOILT_NOW)
def test_what_is_wrong_at_one_instant_is_said(spoil: Callable[[Books], object], said: str) -> None:
    books = Books()

    spoil(books)

    assert [sentence for sentence in books.wrong_now() if said in sentence]

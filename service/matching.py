"""Which of these amounts add up to that one: one pure function.

Stripe counted a sum whose parts the restored ledger has forgotten. Producers send the rows again, and new ones beside
them; any selection of the exact sum will do, because what is billed is the sum of all. The oldest first, so that the
rows that came first are taken where several selections fit. Those that came one after the other are tried before any
other selection: mostly they are it. The lane is locked meanwhile, so what is tried is bounded.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate

from service.figures import NOTHING

SUMS_MAX = 500_000  # tried; past it a person is asked rather than a machine kept busy


def select(values: Sequence[Decimal], wanted: Decimal) -> list[int] | None:
    """The places of a selection that adds up to `wanted`, exactly; None where there is none, or too many to try."""
    return _run(values, wanted) or _search(values, wanted)


def _run(values: Sequence[Decimal], wanted: Decimal) -> list[int] | None:
    """Of those that came one after the other."""
    begins: dict[Decimal, int] = {}  # by the sum of all before
    for place, total in enumerate(accumulate(values, initial=NOTHING)):
        if total - wanted in begins:
            return list(range(begins[total - wanted], place))
        begins.setdefault(total, place)
    return None


def _search(values: Sequence[Decimal], wanted: Decimal) -> list[int] | None:
    least = sum((value for value in values if value < NOTHING), NOTHING)
    most = sum((value for value in values if value > NOTHING), NOTHING)
    reached: dict[Decimal, tuple[Decimal, int] | None] = {NOTHING: None}  # by which step each sum came about
    tried = 0
    for place, value in enumerate(values):
        least, most = least - min(value, NOTHING), most - max(value, NOTHING)  # what is left can still add
        tried += len(reached)
        if tried > SUMS_MAX:
            return None
        for before in list(reached):
            total = before + value
            if total not in reached and total + least <= wanted <= total + most:
                reached[total] = (before, place)
        if wanted in reached:
            return _places(reached, wanted)
    return None


def _places(reached: dict[Decimal, tuple[Decimal, int] | None], wanted: Decimal) -> list[int]:
    places: list[int] = []
    step = reached[wanted]
    while step is not None:
        before, place = step
        places.append(place)
        step = reached[before]
    return places[::-1]

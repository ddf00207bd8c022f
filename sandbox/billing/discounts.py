"""Discounts on invoices: which are in force, and what each takes off of which line.

Each is taken of what those before it left, rounded once an invoice and then shared out, so that the parts of the lines
add up to it. One that is taken off once goes to the first invoice that becomes final with something to take it off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sandbox.billing.coupon import Discount
from sandbox.billing.invoice import Invoice, Line, TakenOff
from sandbox.billing.rating import whole
from sandbox.books import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedDiscount:
    """A discount that was to be taken off once, and which invoice had it."""

    invoice: str


def in_force(books: Books, discounts: Sequence[Discount], *, at: int, invoice: str = "") -> tuple[Discount, ...]:
    """Those that an invoice made at that instant has; without one, that the next will have."""
    used, by_date = books.shelf(UsedDiscount), books.settings.repeating_coupon_covers == "invoices"
    left = [one for one in discounts if one.id not in used or used[one.id].invoice == invoice]
    return tuple(discount for discount in left if discount.is_running(at) or not by_date)


def discounted(books: Books, lines: Sequence[Line], discounts: Sequence[Discount]) -> tuple[Line, ...]:
    for discount in discounts:
        lines = _less(books, lines, discount)
    return tuple(lines)


def used_up(books: Books, invoice: Invoice) -> None:
    """What is taken off once has been, where this final invoice had something to take it off."""
    once = {discount.id for discount in invoice.discounts if discount.is_once}
    for part in invoice.taken_off:
        if part.amount and part.discount in once:
            books.shelf(UsedDiscount)[part.discount] = UsedDiscount(invoice=invoice.id)


def _less(books: Books, lines: Sequence[Line], discount: Discount) -> tuple[Line, ...]:
    by_date = books.settings.repeating_coupon_covers == "invoices"
    is_meant = [_is_meant(line, discount) and (by_date or discount.is_running(line.period.start)) for line in lines]
    worth = [max(0, line.net) if meant else 0 for line, meant in zip(lines, is_meant, strict=True)]
    taken = whole(discount.coupon.taken_off(sum(worth)), books.settings.amounts_round)
    parts = _shared_out(taken, worth)
    return tuple(
        replace(line, discounts=(*line.discounts, TakenOff(discount=discount.id, amount=part))) if meant else line
        for line, meant, part in zip(lines, is_meant, parts, strict=True)
    )


def _is_meant(line: Line, discount: Discount) -> bool:
    return line.is_discountable and discount.coupon.is_for(None if line.price is None else line.price.product)


def _shared_out(taken: int, worth: Sequence[int]) -> list[int]:
    """A whole in parts as its lines are worth: what rounding leaves goes to those that lost most by it."""
    total = sum(worth)
    if not total:
        return [0] * len(worth)
    exact = [Fraction(taken * part, total) for part in worth]
    parts = [int(part) for part in exact]
    losers = sorted(range(len(parts)), key=lambda place: parts[place] - exact[place])
    for place in losers[: taken - sum(parts)]:
        parts[place] += 1
    return parts

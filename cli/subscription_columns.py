"""The columns of a file of subscriptions: their names, how a cell of each is read, and what each means.

A column is called as the field is, in capitals or not. The names that a known app for Stripe gives them are understood
too, and `metadata.KEY` and `billing_cycle_anchor_config.day_of_month` each tell a part of a field.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cli.csv_rows import HeaderRefused
from cli.subscription_cells import Read, read_instant, read_truth

REJECTED: Final = "rejected_"  # columns that an error file has more; what they say is for persons, and is not read
REQUIRED: Final = ("customer", "price")
OTHER_NAMES: Final = {
    "customer_id": "customer",
    "price_id": "price",
    "payment_method_id": "payment_method",
    "coupon_id": "coupon",
    "tax_rate_ids": "tax_rates",
}
NAME_CHARS_MAX: Final = 120


MEANINGS: Final[Mapping[str, str]] = {
    "customer": "Stripe's id of the customer; required",
    "price": "Stripe's id of a price on a meter; required",
    "trial_days": "days of trial, 0 to 730",
    "trial_end_behavior": "what follows a trial that ends without a payment method: cancel, create_invoice or pause",
    "backdate_start_date": "when it began, in the past; never prorated",
    "billing_cycle_anchor": "when its periods begin, in the future; not with the config",
    "billing_cycle_anchor_config": "on which day its periods begin: day_of_month=15;hour=9, and month, minute, second",
    "setup_fee": "billed once, at once, in the currency itself: 49.00 and not 4900",
    "currency": "of the setup fee; it must be the price's",
    "payment_method": "pays its invoices; attached to the customer where it is nobody's",
    "collection_method": "charge_automatically or send_invoice",
    "days_until_due": "days to pay an invoice; with send_invoice, and required there",
    "coupon": "the id of a coupon",
    "automatic_tax": "true: Stripe Tax says what tax is due; not with tax_rates",
    "tax_rates": "ids of tax rates, with ; between them",
    "account_tax_ids": "ids of your own tax ids for its invoices, with ; between them",
    "customer_tax_ids": "the customer's tax ids as type:value, with ; between them",
    "invoice_memo": "a text on its invoices",
    "footer": "a text below its invoices",
    "custom_fields": "at most four lines on its invoices as name=value, with ; between them",
    "metadata": "key=value with ; between them; or a column metadata.KEY for each key",
    "cancel_at": "when it ends: in the future, or min_period_end, max_period_end, max_billed_until",
    "cancel_at_period_end": "true: it ends with its first period; not with cancel_at",
    "billing_mode": "classic or flexible; Stripe's default if left out",
    "payment_behavior": (
        "where its first invoice is not paid: allow_incomplete, default_incomplete or error_if_incomplete"
    ),
    "off_session": "true: the customer is not there to confirm a payment",
    "allow_duplicate": "true: a second subscription on the customer's meter is meant",
    "row_id": "the row's own id; made of what it says if left out",
    "source": "who numbers these ids; --source if left out",
    "replaces": "the row_id of the refused or blocked row that this one corrects",
}
INSTANTS: Final = ("backdate_start_date", "billing_cycle_anchor", "cancel_at")
READS: Final[Mapping[str, Read]] = {
    **dict.fromkeys(INSTANTS, read_instant),
    "automatic_tax": read_truth,
    "cancel_at_period_end": read_truth,
    "off_session": read_truth,
    "allow_duplicate": read_truth,
}  # the others are read as they stand
PARTS: Final[Mapping[str, Sequence[str]]] = {
    "billing_cycle_anchor_config": ("day_of_month", "month", "hour", "minute", "second"),
}
PARTIAL: Final = ("metadata", *PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a column's cells go: a field, a part of one, or (`field` empty) nowhere."""

    field: str
    part: str | None = None


NOWHERE: Final = Place(field="")


def read_cell(field: str, cell: str) -> object:
    return READS.get(field, str)(cell)


@lru_cache(maxsize=1_024)
def place_of(name: str) -> Place | None:
    """What a column of this name tells; None: nothing that a subscription has."""
    told = name.strip()
    head, dot, part = told.partition(".")
    plain = head.strip().lower().replace(" ", "_").replace("-", "_")
    field = OTHER_NAMES.get(plain, plain)
    if field.startswith(REJECTED):
        return NOWHERE
    if field not in MEANINGS:
        return None
    if not dot:
        return Place(field=field)
    if field == "metadata" and part:
        return Place(field=field, part=part)
    return Place(field=field, part=part.lower()) if part.lower() in PARTS.get(field, ()) else None


def places_of(header: Sequence[str]) -> list[Place]:
    """Raises HeaderRefused where the columns are not those of subscriptions."""
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise HeaderRefused("line 1: columns are separated by commas here; save the file as CSV with commas")
    places: list[Place] = []
    for name in header:
        place = place_of(name)
        if place is None:
            raise HeaderRefused(f"line 1: the column {_shown(name)} is not known; {_nearest(name)}")
        if place is not NOWHERE and place in places:
            raise HeaderRefused(f"line 1: the column {_shown(name)} is there twice, also as {_earlier(header, place)}")
        places.append(place)
    for field in PARTIAL:
        if len({place.part is None for place in places if place.field == field}) > 1:
            raise HeaderRefused(f"line 1: {field} is told in one column and in columns of its parts; keep one of both")
    if missing := [field for field in REQUIRED if Place(field=field) not in places]:
        reason = f"line 1: the column {' and '.join(missing)} is missing"
        raise HeaderRefused(f"{reason}; meterpost subscriptions template writes a file with every column")
    return places


def _shown(name: str) -> str:
    return ascii(name[:NAME_CHARS_MAX])


def _nearest(name: str) -> str:
    names = [*MEANINGS, *OTHER_NAMES, *(f"{field}.{part}" for field, parts in PARTS.items() for part in parts)]
    nearest = difflib.get_close_matches(name.strip().lower().replace(" ", "_")[:NAME_CHARS_MAX], names, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"the columns are {', '.join(MEANINGS)}"


def _earlier(header: Sequence[str], place: Place) -> str:
    return _shown(next(name for name in header if place_of(name) == place))

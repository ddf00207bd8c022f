"""What each field of a subscription row must be: one function a field, the reason and the remedy in its refusal.

As in `rules.py`, whose rules hold for the fields that both kinds of rows have, every rule is total: any object goes in,
and what comes out is the canonical value or a `ValidationError`. Numbers, truths, lists and pairs may come as text, as
a cell of a file has them. What fields may not be told together, and which instants must be ahead, is in
`subscription_limits.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar

from marshmallow import ValidationError

from meterpost import rules
from meterpost.amounts import AMOUNT_DIGITS_MAX
from meterpost.reading import hint_at, printable
from meterpost.subscription_forms import read_pairs, read_texts

OWN_METADATA_KEY: Final = "meterpost_row"  # by which a subscription is found again
TRIAL_DAYS_MAX: Final = 730  # Stripe's
DAYS_UNTIL_DUE_MAX: Final = 1_825  # ours, five years: more is a mistyped number
FEE_DIGITS_MAX: Final = AMOUNT_DIGITS_MAX  # of a currency whose smallest unit is its own; others take fewer
FEE_PLACES_MAX: Final = 3  # no currency has more
MEMO_LENGTH_MAX: Final = 1_500  # Stripe's, of an invoice's description
FOOTER_LENGTH_MAX: Final = 5_000  # Stripe's
CUSTOM_FIELDS_MAX: Final = 4  # Stripe's, as the two lengths
CUSTOM_FIELD_NAME_LENGTH_MAX: Final = 40
CUSTOM_FIELD_VALUE_LENGTH_MAX: Final = 140
METADATA_KEYS_MAX: Final = 49  # Stripe takes 50, and one is ours
METADATA_KEY_LENGTH_MAX: Final = 40
METADATA_VALUE_LENGTH_MAX: Final = 500
IDS_MAX: Final = 10  # ours, of tax rates and tax ids: more than any invoice shows
TAX_ID_LENGTH_MAX: Final = 100
COUPON_LENGTH_MAX: Final = 255
CANCEL_WORDS: Final = ("min_period_end", "max_period_end", "max_billed_until")
ANCHOR_PARTS: Final = {"day_of_month": (1, 31), "month": (1, 12), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}

T = TypeVar("T")

_PRICE: Final = re.compile(r"price_[A-Za-z0-9_]{1,60}")
_PAYMENT_METHOD: Final = re.compile(r"(?:pm|card|src)_[A-Za-z0-9_]{1,60}")
_TAX_RATE: Final = re.compile(r"txr_[A-Za-z0-9_]{1,60}")
_TAX_ID: Final = re.compile(r"a?txi_[A-Za-z0-9_]{1,60}")
_TAX_ID_TYPE: Final = re.compile(r"[a-z]{2}_[a-z0-9_]{1,30}")
_CURRENCY: Final = re.compile(r"[a-z]{3}")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_GIVE_AN_AMOUNT: Final = f"give at most {FEE_DIGITS_MAX} digits with at most one point, such as '49.00'"
_TEXT_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # a line break is none


def read_price(said: object) -> str:
    return _read_id(said, _PRICE, what="a Stripe price id", example="price_1MoBy5LkdIwHu7ixZhnattbh")


def read_payment_method(said: object) -> str:
    return _read_id(said, _PAYMENT_METHOD, what="a payment method's id", example="pm_1MqLiJLkdIwHu7ixUEgbFdYF")


def read_tax_rates(said: object) -> tuple[str, ...]:
    return _read_ids(said, _TAX_RATE, what="a tax rate's id", example="txr_1, txr_2")


def read_account_tax_ids(said: object) -> tuple[str, ...]:
    return _read_ids(said, _TAX_ID, what="the id of a tax id of your account", example="txi_1, txi_2")


def read_customer_tax_ids(said: object) -> tuple[tuple[str, str], ...]:
    """Type and value, as in Stripe's list of types; what the value must look like is Stripe's to judge."""
    example = "eu_vat:DE123456789; us_ein:12-3456789"
    pairs = read_pairs(said, names=("type", "value"), pairs_max=IDS_MAX, between=":", example=example)
    read = [
        (
            _read_id(kind, _TAX_ID_TYPE, what="a type of tax ids", example="eu_vat"),
            rules.read_printable(value, length_max=TAX_ID_LENGTH_MAX),
        )
        for kind, value in pairs
    ]
    return _once(read)


def read_trial_days(said: object) -> int:
    return _read_whole(said, low=0, high=TRIAL_DAYS_MAX)


def read_days_until_due(said: object) -> int:
    return _read_whole(said, low=0, high=DAYS_UNTIL_DUE_MAX)


def read_instant(said: object) -> datetime:
    """In UTC and whole seconds, which is all that Stripe keeps."""
    return rules.read_occurred_at(said).replace(microsecond=0)


def read_anchor_config(said: object) -> tuple[tuple[str, int], ...]:
    """When in a month, or a year, cycles begin: its parts in the order of `ANCHOR_PARTS`."""
    example = "day_of_month=1; hour=12"
    pairs = read_pairs(said, names=("part", "number"), pairs_max=len(ANCHOR_PARTS), between="=", example=example)
    told: dict[str, int] = {}
    for part, number in pairs:
        if not isinstance(part, str) or part not in ANCHOR_PARTS:
            name = printable(str(part)) if isinstance(part, str) else type(part).__name__
            raise ValidationError(f"{name} is not a part of it; {hint_at(name, ANCHOR_PARTS, row='an anchor')}")
        if number is None:
            continue
        if part in told:
            raise ValidationError(f"tells {part} twice; tell it once")
        low, high = ANCHOR_PARTS[part]
        told[part] = _read_whole(number, low=low, high=high, what=f"{part} ")
    if "day_of_month" not in told:
        raise ValidationError(f"tells no day_of_month, which Stripe wants; write {example}")
    return tuple((part, told[part]) for part in ANCHOR_PARTS if part in told)


def read_setup_fee(said: object) -> Decimal:
    """In the currency's major unit: "49.00" are 49 dollars, or 49 yen."""
    fee = _read_amount(said)
    digits, places = fee.as_tuple().digits, max(0, -int(fee.as_tuple().exponent))
    if fee <= 0:
        raise ValidationError("is not more than 0; give what is charged, or leave the field out")
    if len(digits) > FEE_DIGITS_MAX or places > FEE_PLACES_MAX:
        raise ValidationError(f"has more than {FEE_DIGITS_MAX} digits, or {FEE_PLACES_MAX} decimal places")
    return fee


def read_currency(said: object) -> str:
    return _read_id(said, _CURRENCY, what="a currency of three small letters", example="usd")


def read_coupon(said: object) -> str:
    return rules.read_printable(said, length_max=COUPON_LENGTH_MAX)


def read_invoice_memo(said: object) -> str:
    return _read_text(said, length_max=MEMO_LENGTH_MAX)


def read_footer(said: object) -> str:
    return _read_text(said, length_max=FOOTER_LENGTH_MAX)


def read_custom_fields(said: object) -> tuple[tuple[str, str], ...]:
    """Names and values in the order in which invoices show them."""
    example = "PO number=4711; Cost center=12"
    pairs = read_pairs(said, names=("name", "value"), pairs_max=CUSTOM_FIELDS_MAX, between="=", example=example)
    names = [_read_line(name, length_max=CUSTOM_FIELD_NAME_LENGTH_MAX) for name, _ in pairs]
    _once(names)
    read = partial(_read_line, length_max=CUSTOM_FIELD_VALUE_LENGTH_MAX)
    return tuple((name, _read_under(name, value, read)) for name, (_, value) in zip(names, pairs, strict=True))


def read_metadata(said: object) -> tuple[tuple[str, str], ...]:
    """Sorted by key, because Stripe keeps no order either."""
    example = "team=blue; region=eu"
    pairs = read_pairs(said, names=("key", "value"), pairs_max=METADATA_KEYS_MAX, between="=", example=example)
    keys = [_read_key(key) for key, _ in pairs]
    _once(keys)
    read = partial(_read_text, length_max=METADATA_VALUE_LENGTH_MAX)
    return tuple(sorted((key, _read_under(key, value, read)) for key, (_, value) in zip(keys, pairs, strict=True)))


def read_cancel_at(said: object) -> datetime | str:
    return said if isinstance(said, str) and said in CANCEL_WORDS else _read_cancel_instant(said)


def read_payment_behavior(said: object) -> str:
    if said == "pending_if_incomplete":
        raise ValidationError(f"{said} is for changes of a subscription: at its creation, write default_incomplete")
    return one_of("allow_incomplete", "default_incomplete", "error_if_incomplete")(said)


def read_import_name(said: object) -> str:
    return rules.read_printable(said, length_max=rules.ROW_ID_LENGTH_MAX)


def read_truth(said: object) -> bool:
    if isinstance(said, bool):
        return said
    if isinstance(said, str) and said.lower() in {"true", "false"}:
        return said.lower() == "true"
    raise ValidationError(f"{rules.shown(said)} is neither true nor false")


def one_of(*words: str) -> Callable[[object], str]:
    """The rule of a field that is one of these words."""

    def read(said: object) -> str:
        if isinstance(said, str) and said in words:
            return said
        raise ValidationError(f"{rules.shown(said)} is none of {', '.join(words)}")

    return read


def _read_cancel_instant(said: object) -> datetime:
    try:
        return read_instant(said)
    except ValidationError as refused:
        raise ValidationError(f"{refused.messages[0]}, or one of {', '.join(CANCEL_WORDS)}") from None


def _read_id(said: object, pattern: re.Pattern[str], *, what: str, example: str) -> str:
    if isinstance(said, str) and pattern.fullmatch(said):
        return said
    raise ValidationError(f"{rules.shown(said)} is not {what}; give one like {example}")


def _read_ids(said: object, pattern: re.Pattern[str], *, what: str, example: str) -> tuple[str, ...]:
    found = read_texts(said, texts_max=IDS_MAX, example=example)
    return _once([_read_id(one, pattern, what=what, example=example) for one in found])


def _read_amount(said: object) -> Decimal:
    """Read as a quantity is, and refused in the words of money."""
    if isinstance(said, float):
        raise ValidationError(f"is a float, which is not exact; {_GIVE_AN_AMOUNT}")
    try:
        return rules.read_value(said)
    except ValidationError:
        raise ValidationError(f"{rules.shown(said)} is not an amount; {_GIVE_AN_AMOUNT}") from None


def _read_whole(said: object, *, low: int, high: int, what: str = "") -> int:
    if isinstance(said, str) and _WHOLE.fullmatch(said):
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int):
        raise ValidationError(f"{what}{rules.shown(said)} is not a whole number; give {low} to {high}")
    if not low <= said <= high:
        raise ValidationError(f"{what}is out of bounds; give {low} to {high}")
    return said


def _read_under(name: str, said: object, read: Callable[[object], str]) -> str:
    """One of several values: its refusal says which."""
    try:
        return read(said)
    except ValidationError as refused:
        raise ValidationError(f"{rules.shown(name)}: {refused.messages[0]}") from None


def _read_key(said: object) -> str:
    key = _read_line(said, length_max=METADATA_KEY_LENGTH_MAX)
    if "[" in key or "]" in key:
        raise ValidationError(f"{rules.shown(key)}: Stripe takes no brackets in a key; leave them out")
    if key == OWN_METADATA_KEY:
        raise ValidationError(f"{OWN_METADATA_KEY} is ours: it tells which row a subscription is of; take another key")
    return key


def _read_line(said: object, *, length_max: int) -> str:
    line = rules.read_printable(said, length_max=length_max)
    if line.isspace():
        raise ValidationError("is nothing but spaces; write it, or leave it out")
    return line


def _read_text(said: object, *, length_max: int) -> str:
    """Lines and every script, and nothing that commands a screen."""
    if not isinstance(said, str):
        raise ValidationError(f"{rules.shown(said)} is not a text; give 1 to {length_max} characters")
    if len(said) > rules.SPELLED_MAX * length_max:
        raise ValidationError(f"is {len(said)} characters long; give 1 to {length_max}")
    text = unicodedata.normalize("NFC", said.replace("\r\n", "\n"))
    if not 1 <= len(text) <= length_max or text.isspace():
        raise ValidationError(f"is {len(text)} characters long, or empty; give 1 to {length_max}, or leave it out")
    if found := _TEXT_CONTROLS.search(text):
        raise ValidationError(f"has a control character, {found[0]!a}; leave it out")
    return text


def _once(members: Iterable[T]) -> tuple[T, ...]:
    found = tuple(members)
    if len(set(found)) < len(found):
        raise ValidationError("tells the same one twice; tell it once")
    return found

"""The one definition of a subscription row: a schema for what is said, a frozen dataclass for what is known.

A field is at once a column of a file, an argument of `Meterpost.subscription` and a member of the message, under one
name. As with usage rows, the client reads every row at the call and the service reads it again from the queue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypedDict

from marshmallow import RAISE, Schema, ValidationError

from meterpost import rules
from meterpost import subscription_rules as own
from meterpost.reading import Refusal, Ruled, explain
from meterpost.subscription_limits import limit_ahead, limit_instants, limit_together

SCHEMA_NAME: Final = "subscription.1"
IDENTIFIER_DIGITS: Final = 40  # of the sha256: what no two rows will ever share
OUTSIDE: Final = ("account", "source", "row_id", "import_name")  # who tells the row, and not what it says


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRow:
    """A subscription that a producer wants made for a customer, once.

    `row_id` is unique within `account` and `source`, among usage rows too. `setup_fee` is in the currency's major unit.
    Instants are in UTC and whole seconds. What was not told is None, empty or false, and Stripe's default applies.
    `import_name` is the file that it came with, and not part of what it says.
    """

    account: str
    source: str
    row_id: str
    customer: str
    price: str
    trial_days: int | None = None
    trial_end_behavior: str | None = None
    backdate_start_date: datetime | None = None
    billing_cycle_anchor: datetime | None = None
    billing_cycle_anchor_config: tuple[tuple[str, int], ...] = ()
    setup_fee: Decimal | None = None
    currency: str | None = None
    payment_method: str | None = None
    collection_method: str | None = None
    days_until_due: int | None = None
    coupon: str | None = None
    automatic_tax: bool = False
    tax_rates: tuple[str, ...] = ()
    account_tax_ids: tuple[str, ...] = ()
    customer_tax_ids: tuple[tuple[str, str], ...] = ()
    invoice_memo: str | None = None
    footer: str | None = None
    custom_fields: tuple[tuple[str, str], ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    cancel_at: datetime | str | None = None
    cancel_at_period_end: bool = False
    billing_mode: str | None = None
    payment_behavior: str | None = None
    off_session: bool | None = None
    allow_duplicate: bool = False
    replaces: str | None = None
    import_name: str | None = None

    @property
    def said(self) -> dict[str, Any]:
        """What was told, as JSON has it: in one order and one spelling; what was not told is left out."""
        told = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in OUTSIDE}
        left_out = {field.name: field.default for field in fields(self)}
        # By identity: a trial of 0 days is told, and equals false.
        return {
            name: _spell(name, value) for name, value in told.items() if value is not left_out[name] and value != ()
        }

    @property
    def content_hash(self) -> bytes:
        """sha256 over what was said; two rows of one id and different hashes are a conflict."""
        return hashlib.sha256(json.dumps(self.said, sort_keys=True, separators=(",", ":")).encode()).digest()

    @property
    def identifier(self) -> str:
        """By which its subscription is known at Stripe; made of the row's name alone."""
        name = f"{self.account}\n{self.source}\n{self.row_id}"  # no part can hold a line break
        return f"mps-{hashlib.sha256(name.encode()).hexdigest()[:IDENTIFIER_DIGITS]}"


class SubscriptionFields(TypedDict, total=False):
    """What `Meterpost.subscription` takes beside the customer and the price; docs/subscriptions.md tells each."""

    trial_days: int | str | None
    trial_end_behavior: str | None
    backdate_start_date: datetime | str | None
    billing_cycle_anchor: datetime | str | None
    billing_cycle_anchor_config: Mapping[str, int] | None
    setup_fee: Decimal | int | str | None
    currency: str | None
    payment_method: str | None
    collection_method: str | None
    days_until_due: int | None
    coupon: str | None
    automatic_tax: bool
    tax_rates: list[str] | tuple[str, ...]
    account_tax_ids: list[str] | tuple[str, ...]
    customer_tax_ids: list[tuple[str, str]] | Mapping[str, str]
    invoice_memo: str | None
    footer: str | None
    custom_fields: list[tuple[str, str]] | Mapping[str, str]
    metadata: Mapping[str, str]
    cancel_at: datetime | str | None
    cancel_at_period_end: bool
    billing_mode: str | None
    payment_behavior: str | None
    off_session: bool | None
    allow_duplicate: bool
    replaces: str | None
    import_name: str | None


def _optional(rule: Callable[[object], object], *, left_out: object = None) -> Ruled:
    """A field that may be left out; an empty text, as an empty cell of a file, and an empty list say as much."""

    def read(said: object) -> object:
        return left_out if isinstance(said, str | list | tuple | Mapping) and not said else rule(said)

    return Ruled(read, load_default=left_out)


class SubscriptionRowSchema(Schema):
    """What a subscription row may say. Fields are judged, and refusals named, in this order."""

    class Meta:  # noqa: D106 (marshmallow's place for options)
        unknown = RAISE

    customer = Ruled(rules.read_customer, required=True)
    price = Ruled(own.read_price, required=True)
    row_id = Ruled(rules.read_row_id, required=True)
    source = Ruled(rules.read_source, load_default="app")
    account = Ruled(rules.read_account, load_default="default")
    trial_days = _optional(own.read_trial_days)
    trial_end_behavior = _optional(own.one_of("cancel", "create_invoice", "pause"))
    backdate_start_date = _optional(own.read_instant)
    billing_cycle_anchor = _optional(own.read_instant)
    billing_cycle_anchor_config = _optional(own.read_anchor_config, left_out=())
    setup_fee = _optional(own.read_setup_fee)
    currency = _optional(own.read_currency)
    payment_method = _optional(own.read_payment_method)
    collection_method = _optional(own.one_of("charge_automatically", "send_invoice"))
    days_until_due = _optional(own.read_days_until_due)
    coupon = _optional(own.read_coupon)
    automatic_tax = _optional(own.read_truth, left_out=False)
    tax_rates = _optional(own.read_tax_rates, left_out=())
    account_tax_ids = _optional(own.read_account_tax_ids, left_out=())
    customer_tax_ids = _optional(own.read_customer_tax_ids, left_out=())
    invoice_memo = _optional(own.read_invoice_memo)
    footer = _optional(own.read_footer)
    custom_fields = _optional(own.read_custom_fields, left_out=())
    metadata = _optional(own.read_metadata, left_out=())
    cancel_at = _optional(own.read_cancel_at)
    cancel_at_period_end = _optional(own.read_truth, left_out=False)
    billing_mode = _optional(own.one_of("classic", "flexible"))
    payment_behavior = _optional(own.read_payment_behavior)
    off_session = _optional(own.read_truth)
    allow_duplicate = _optional(own.read_truth, left_out=False)
    replaces = _optional(rules.read_row_id)
    import_name = _optional(own.read_import_name)


SCHEMA: Final = SubscriptionRowSchema()
FIELDS: Final = tuple(SCHEMA.fields)  # as columns of a file, in this order


def read_subscription(said: object, *, now: datetime) -> SubscriptionRow | Refusal:
    """The row that was said, or why it is none. Total: any object goes in.

    It may have been told before: whether what must be ahead has passed is not asked here.
    """
    try:
        row = _load(said)
        limit_together(row)
        limit_instants(row, now=now)
    except ValidationError as refused:
        return _explain(refused)
    return row


def read_new_subscription(said: object, *, now: datetime) -> SubscriptionRow | Refusal:
    """As `read_subscription`, of a row that is told for the first time: what must be ahead is ahead of `now`."""
    row = read_subscription(said, now=now)
    if isinstance(row, Refusal):
        return row
    try:
        limit_ahead(row, now=now)
    except ValidationError as refused:
        return _explain(refused)
    return row


def from_said(
    said: Mapping[str, object], *, account: str, source: str, row_id: str, import_name: str | None = None
) -> SubscriptionRow:
    """The row of a ledger that keeps what it said. Raises ValueError where that was never accepted."""
    try:
        return _load({**said, "account": account, "source": source, "row_id": row_id, "import_name": import_name})
    except ValidationError as refused:
        raise ValueError(f"row {row_id} of {source} does not read as it was written: {refused}") from refused


def _explain(refused: ValidationError) -> Refusal:
    return explain(refused, fields=FIELDS, known=FIELDS, row="a subscription row")


def _load(said: object) -> SubscriptionRow:
    if isinstance(said, Mapping):
        said = {name: value for name, value in said.items() if value is not None}  # a null tells nothing
    read = SCHEMA.load(said)  # type: ignore[arg-type]  # anything may come; the schema says what is wrong
    return SubscriptionRow(**dict(read))


def _spell(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if name in {"metadata", "billing_cycle_anchor_config"}:
        return dict(value)  # type: ignore[call-overload]  # pairs, as the schema reads them
    if isinstance(value, tuple):
        return [list(member) if isinstance(member, tuple) else member for member in value]
    return value

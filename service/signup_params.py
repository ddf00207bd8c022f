"""What Stripe is asked for on behalf of a subscription row, and what forbids it once its price is known. Pure.

Never a quantity: a metered price takes none. Our identifier is always in the metadata. What the row did not tell is
left out, so that Stripe's default applies.
Source: docs.stripe.com/api/subscriptions/create.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from meterpost.amounts import refuse_fee
from meterpost.subscription import SubscriptionRow
from service.currencies import to_minor
from service.mirrors.subscriptions import ROW
from service.stripe_signups import PriceTold


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product under an id of ours. Its name stands on invoices; the id says the name, so that one means the other."""

    product: str
    name: str


SETUP_FEE = Product(product="meterpost_setup_fee", name="Setup fee")


def unfit(row: SubscriptionRow, price: PriceTold) -> str | None:
    """Why no subscription is made at this price; None: nothing speaks against it."""
    if not price.is_active:
        return f"price {price.price} is archived: activate it, or tell the row again with another price"
    if price.usage_type != "metered" or price.meter_stripe_id is None:
        return f"price {price.price} counts no meter's usage: tell the row again with a price of a billing meter"
    if row.currency not in {None, price.currency}:
        return f"currency: price {price.price} is in {price.currency}, not in {row.currency}; tell the row again"
    if row.setup_fee is not None and (refused := _unfit_fee(row.setup_fee, price)):
        return f"setup_fee: {refused}"
    return None


def creation(row: SubscriptionRow, price: PriceTold) -> dict[str, Any]:
    """The parameters of subscriptions.create, as JSON has them."""
    asked: dict[str, Any] = {
        "customer": row.customer,
        "items": [{"price": row.price}],
        "metadata": {**dict(row.metadata), ROW: row.identifier},
        **_time(row),
        **_invoices(row),
        **_tax(row),
        "default_payment_method": row.payment_method,
        "payment_behavior": row.payment_behavior,
        "off_session": row.off_session,
        "discounts": [{"coupon": row.coupon}] if row.coupon else None,
        "billing_mode": {"type": row.billing_mode} if row.billing_mode else None,
        "add_invoice_items": [_fee(row.setup_fee, price)] if row.setup_fee is not None else None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _unfit_fee(fee: Decimal, price: PriceTold) -> str | None:
    return refuse_fee(fee, price.currency) if price.currency else f"price {price.price} tells no currency"


def _time(row: SubscriptionRow) -> dict[str, Any]:
    ending = {"end_behavior": {"missing_payment_method": row.trial_end_behavior}}
    return {
        "trial_period_days": row.trial_days,
        "trial_settings": ending if row.trial_end_behavior else None,
        "backdate_start_date": _seconds(row.backdate_start_date),
        "proration_behavior": "none" if row.backdate_start_date else None,
        "billing_cycle_anchor": _seconds(row.billing_cycle_anchor),
        "billing_cycle_anchor_config": dict(row.billing_cycle_anchor_config) or None,
        "cancel_at": _seconds(row.cancel_at) if isinstance(row.cancel_at, datetime) else row.cancel_at,
        "cancel_at_period_end": True if row.cancel_at_period_end else None,
    }


def _invoices(row: SubscriptionRow) -> dict[str, Any]:
    told = {
        "account_tax_ids": list(row.account_tax_ids),
        "custom_fields": [{"name": name, "value": value} for name, value in row.custom_fields],
        "description": row.invoice_memo,
        "footer": row.footer,
    }
    return {
        "collection_method": row.collection_method,
        "days_until_due": row.days_until_due,
        "invoice_settings": {name: value for name, value in told.items() if value} or None,
    }


def _tax(row: SubscriptionRow) -> dict[str, Any]:
    return {
        "automatic_tax": {"enabled": True} if row.automatic_tax else None,
        "default_tax_rates": list(row.tax_rates) or None,
    }


def _fee(fee: Decimal, price: PriceTold) -> dict[str, Any]:
    assert price.currency is not None, "a price of another shape is unfit"
    amount = to_minor(fee, price.currency)
    assert amount == int(amount), "a fee that the currency cannot tell is unfit"
    of_product = {"currency": price.currency, "product": SETUP_FEE.product, "unit_amount": int(amount)}
    return {"price_data": of_product}


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())

"""What a row may not say: refused at the call, in the file and on the queue, before Stripe is asked anything."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from meterpost import RowRefused
from tests.subscribed.conftest import Sales

AHEAD = (datetime.now(UTC) + timedelta(days=100)).isoformat()
REFUSED: Any = {
    "automatic tax and rates": ("tax_rates", {"automatic_tax": True, "tax_rates": ["txr_1"]}),
    "an anchor and its config": (
        "billing_cycle_anchor_config",
        {"billing_cycle_anchor": AHEAD, "billing_cycle_anchor_config": {"day_of_month": 1}},
    ),
    "an anchor's config without a day": ("billing_cycle_anchor_config", {"billing_cycle_anchor_config": {"hour": 9}}),
    "days until due, and charged": ("days_until_due", {"days_until_due": 30}),
    "sent, and never due": ("days_until_due", {"collection_method": "send_invoice"}),
    "five custom fields": ("custom_fields", {"custom_fields": {str(n): "x" for n in range(5)}}),
    "a custom field's long name": ("custom_fields", {"custom_fields": {"x" * 41: "x"}}),
    "a custom field's long value": ("custom_fields", {"custom_fields": {"x": "x" * 141}}),
    "fifty metadata keys beside ours": ("metadata", {"metadata": {str(n): "x" for n in range(50)}}),
    "fifty-one metadata keys": ("metadata", {"metadata": {str(n): "x" for n in range(51)}}),
    "our own metadata key": ("metadata", {"metadata": {"meterpost_row": "mps-1"}}),
    "a long metadata value": ("metadata", {"metadata": {"x": "x" * 501}}),
    "two ends": ("cancel_at_period_end", {"cancel_at": AHEAD, "cancel_at_period_end": True}),
    "half a yen": ("setup_fee", {"setup_fee": "49.50", "currency": "jpy"}),
    "a tenth of a cent": ("setup_fee", {"setup_fee": "49.505", "currency": "usd"}),
    "no fee": ("setup_fee", {"setup_fee": "0"}),
    "the end of no trial": ("trial_end_behavior", {"trial_end_behavior": "cancel"}),
    "a trial of three years": ("trial_days", {"trial_days": 1_000}),
    "a start that is ahead": ("backdate_start_date", {"backdate_start_date": AHEAD}),
    "itself corrected": ("replaces", {"replaces": "s1"}),
    "a behavior for changes alone": ("payment_behavior", {"payment_behavior": "pending_if_incomplete"}),
    "a quantity": ("quantity", {"quantity": 1}),
    "no price": ("price", {"price": "prod_1"}),
}
NO_COLUMN = "a quantity"  # a header that is not known stops the file, and no row


def as_cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def before(sales: Sales) -> int:
    return len(sales.calls())


@pytest.mark.parametrize("what", REFUSED)
def test_a_call_that_says_it_is_refused_by_the_field(sales: Sales, before: int, what: str) -> None:
    field, said = REFUSED[what]
    with pytest.raises(RowRefused) as refused:
        sales.path.client.subscription(**{"customer": "cus_1", "price": sales.price, "row_id": "s1"} | said)
    sales.path.record()
    sales.work()
    assert refused.value.field == field
    assert (sales.states(), len(sales.calls())) == ({}, before)


@pytest.mark.parametrize("what", [what for what in REFUSED if what != NO_COLUMN])
def test_a_file_that_says_it_has_a_bad_line(sales: Sales, before: int, what: str) -> None:
    field, said = REFUSED[what]
    told = {"customer": "cus_1", "price": sales.price, "row_id": "s1"} | said
    text = StringIO()
    csv.writer(text).writerows([told.keys(), map(as_cell, told.values())])
    ran = sales.import_file(text.getvalue())
    sales.work()
    assert [(line["line"], line["column"]) for line in ran["bad_lines"]] == [(2, field)]
    assert (ran["code"], ran["published"], sales.states(), len(sales.calls())) == (1, 0, {}, before)


@pytest.mark.parametrize("what", REFUSED)
def test_a_message_that_says_it_is_quarantined(sales: Sales, before: int, what: str) -> None:
    field, said = REFUSED[what]
    row = {"customer": "cus_1", "price": sales.price, "row_id": "s1"} | said
    message = {"schema": "subscription.1", "sent_at": datetime.now(UTC).isoformat(), "rows": [row]}
    sales.path.put(json.dumps(message).encode())
    sales.path.record()
    sales.work()
    assert sales.path.ask("SELECT field FROM quarantine") == [field]
    assert (sales.states(), len(sales.calls())) == ({}, before)


@pytest.mark.parametrize(
    ("currency", "fee", "words"),
    [
        ("usd", "10000000000", "12 digits"),
        ("jpy", "49.50", "no decimal places"),
        ("usd", "49.505", "at most 2"),
        ("isk", "0.5", "no decimal places"),
    ],
)
def test_a_fee_that_its_price_cannot_tell_changes_nothing_at_stripe(
    sales: Sales, currency: str, fee: str, words: str
) -> None:
    sales.tell(price=sales.price_of("calls", currency=currency), setup_fee=fee, payment_method=sales.card())
    sales.work()
    assert sales.states() == {"s1": "refused"}
    assert words in sales.reason()
    assert sales.writes() == []


@pytest.mark.parametrize(
    ("said", "words"), [({"currency": "eur"}, "is in usd, not in eur"), ({"currency": "eur", "setup_fee": 5}, "in usd")]
)
def test_another_currency_than_the_prices_changes_nothing_at_stripe(sales: Sales, said: Any, words: str) -> None:
    sales.tell(**said, customer_tax_ids=[("eu_vat", "DE123456789")])
    sales.work()
    assert words in sales.reason()
    assert sales.writes() == []

"""What a subscription has all of its invoices say: memo, footer, custom fields, tax ids; and the metadata of both."""

from typing import Any

import pytest
import stripe

EIN = {"type": "us_ein", "value": "12-3456789"}
VAT = {"type": "eu_vat", "value": "DE123456789"}
FIELDS = [{"name": "PO", "value": "4711"}, {"name": "Contract", "value": "C-1"}]
WORDS = {"description": "Thank you", "footer": "Ada Ltd", "custom_fields": FIELDS}


@pytest.fixture
def shop(january: Any) -> Any:
    return january.shop


@pytest.fixture
def meter(shop: Any) -> str:
    return str(shop.meter("calls"))


def words(invoice: Any) -> dict[str, Any]:
    told = invoice.to_dict()
    return {name: told[name] for name in ("description", "footer", "custom_fields")}


def test_every_invoice_of_every_cycle_says_what_its_subscription_chose(
    january: Any, shop: Any, customer: str, calls: str
) -> None:
    subscription = shop.subscription(customer, calls, invoice_settings=WORDS)
    january.go(91)
    invoices = january.invoices(subscription.id)
    assert [words(invoice) for invoice in invoices] == [WORDS] * 3
    assert subscription.invoice_settings.to_dict() == WORDS | {"account_tax_ids": None, "issuer": {"type": "self"}}


def test_what_is_chosen_anew_is_on_the_invoices_from_then_on(
    january: Any, shop: Any, customer: str, calls: str
) -> None:
    subscription = shop.subscription(customer, calls, invoice_settings=WORDS)
    january.go(32)
    changed = {"footer": "", "custom_fields": "", "description": "Thanks"}
    shop.v1.subscriptions.update(subscription.id, {"invoice_settings": changed})
    january.go(60)
    before, after = january.invoices(subscription.id)
    assert words(before) == WORDS
    assert words(after) == {"description": "Thanks", "footer": None, "custom_fields": None}


def test_an_invoice_made_by_hand_for_a_subscription_says_it_too(shop: Any, customer: str, calls: str) -> None:
    subscription = shop.subscription(customer, calls, invoice_settings=WORDS)
    wanted = {"customer": customer, "subscription": subscription.id, "amount": 5, "currency": "usd"}
    shop.v1.invoice_items.create(wanted)
    invoice = shop.v1.invoices.create({"subscription": subscription.id, "description": "By hand"})
    assert words(invoice) == WORDS | {"description": "By hand"}


@pytest.mark.parametrize(
    ("chosen", "param"),
    [
        ({"custom_fields": [{"name": "n" * 41, "value": "1"}]}, "invoice_settings[custom_fields][0][name]"),
        ({"custom_fields": [{"name": "1", "value": "v" * 141}]}, "invoice_settings[custom_fields][0][value]"),
        ({"custom_fields": [{"name": str(n), "value": "1"} for n in range(5)]}, "invoice_settings[custom_fields]"),
        ({"custom_fields": [{"name": "1"}]}, "invoice_settings[custom_fields][0][value]"),
        ({"footer": "f" * 5_001}, "invoice_settings[footer]"),
        ({"account_tax_ids": ["txi_none"]}, "invoice_settings[account_tax_ids][0]"),
        ({"issuer": {"type": "account", "account": "acct_1"}}, "invoice_settings[issuer]"),
    ],
)
def test_what_an_invoice_cannot_say_is_refused(
    shop: Any, customer: str, calls: str, chosen: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.subscription(customer, calls, invoice_settings=chosen)
    assert refusal.value.param == param


def test_the_longest_fields_are_taken(shop: Any, customer: str, calls: str) -> None:
    longest = [{"name": str(n) * 40, "value": "v" * 140} for n in range(4)]
    subscription = shop.subscription(customer, calls, invoice_settings={"custom_fields": longest})
    assert subscription.invoice_settings.to_dict()["custom_fields"] == longest


def test_the_accounts_tax_ids_are_on_the_invoices_that_name_them(
    january: Any, shop: Any, customer: str, calls: str
) -> None:
    own = [shop.v1.tax_ids.create(wanted).id for wanted in (EIN, VAT)]
    subscription = shop.subscription(customer, calls, invoice_settings={"account_tax_ids": own})
    january.go(32)
    (invoice,) = january.invoices(subscription.id)
    assert invoice.account_tax_ids == own
    (listed,) = shop.v1.invoices.list({"expand": ["data.account_tax_ids"]}).data
    assert [tax_id.value for tax_id in listed.account_tax_ids] == [EIN["value"], VAT["value"]]


def test_a_customers_tax_id_is_none_of_the_accounts(shop: Any, customer: str, calls: str) -> None:
    theirs = shop.v1.customers.tax_ids.create(customer, EIN).id
    with pytest.raises(stripe.InvalidRequestError, match=f"No such tax_id: '{theirs}'"):
        shop.subscription(customer, calls, invoice_settings={"account_tax_ids": [theirs]})


def test_a_drafts_customer_tax_ids_follow_the_customer_until_it_is_final(
    january: Any, shop: Any, customer: str, calls: str
) -> None:
    shop.v1.customers.tax_ids.create(customer, EIN)
    subscription = shop.subscription(customer, calls)
    january.go(31)
    shop.v1.customers.tax_ids.create(customer, VAT)
    (draft,) = january.invoices(subscription.id)
    january.go(32)
    for tax_id in shop.v1.customers.tax_ids.list(customer).data:
        shop.v1.customers.tax_ids.delete(customer, tax_id.id)
    (final,) = january.invoices(subscription.id)
    assert [found.to_dict() for found in draft.customer_tax_ids] == [EIN, VAT]
    assert [found.to_dict() for found in final.customer_tax_ids] == [EIN, VAT]


def test_a_subscriptions_metadata_stands_on_each_invoice_as_it_was_when_it_was_drawn(
    january: Any, shop: Any, customer: str, calls: str
) -> None:
    subscription = shop.subscription(customer, calls, metadata={"row": "1"})
    january.go(32)
    shop.v1.subscriptions.update(subscription.id, {"metadata": {"row": "2"}})
    january.go(60)
    told = [invoice.parent.subscription_details.metadata.to_dict() for invoice in january.invoices(subscription.id)]
    assert told == [{"row": "1"}, {"row": "2"}]


def test_a_list_of_a_customers_subscriptions_tells_their_metadata_and_meters(
    shop: Any, customer: str, calls: str, meter: str
) -> None:
    made = [shop.subscription(customer, calls, metadata={"row": str(n)}) for n in range(2)]
    shop.v1.subscriptions.cancel(made[0].id)
    listed = shop.v1.subscriptions.list({"customer": customer, "status": "all"}).data
    assert [found.id for found in listed] == [made[1].id, made[0].id]
    assert [(found.status, found.metadata["row"]) for found in listed] == [("active", "1"), ("canceled", "0")]
    assert {item.price.recurring.meter for found in listed for item in found["items"].data} == {meter}


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({str(n): "1" for n in range(51)}, "up to 50 keys, but you passed in 51"),
        ({"k" * 41: "1"}, "keys can have up to 40 characters"),
        ({"key": "v" * 501}, "values can have up to 500 characters"),
    ],
)
def test_metadata_beyond_its_limits_is_refused(
    shop: Any, customer: str, calls: str, metadata: dict[str, str], says: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says) as refusal:
        shop.subscription(customer, calls, metadata=metadata)
    assert refusal.value.param == "metadata"


def test_metadata_at_its_limits_is_kept(shop: Any, customer: str, calls: str) -> None:
    widest = {f"{n:040}": "v" * 500 for n in range(50)}
    made = shop.subscription(customer, calls, metadata=widest)
    assert shop.v1.subscriptions.retrieve(made.id).metadata.to_dict() == widest

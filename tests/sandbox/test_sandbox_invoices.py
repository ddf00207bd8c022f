"""Invoices of a caller's own: made, changed, finalized, paid, voided and deleted, each in its status alone."""

from decimal import Decimal
from typing import Any

import pytest
import stripe

DAY_S = 86_400


@pytest.fixture
def customer(shop: Any) -> str:
    return str(shop.customer())


@pytest.fixture
def draft(shop: Any, customer: str) -> str:
    """A draft of 5.00 that does not advance by itself."""
    return made(shop, customer)


@pytest.fixture
def unpaid(shop: Any, draft: str) -> str:
    return str(shop.v1.invoices.finalize_invoice(draft).id)


def made(shop: Any, customer: str, amount: int = 500, **more: Any) -> str:
    invoice = shop.v1.invoices.create({"customer": customer} | more)
    shop.v1.invoice_items.create({"customer": customer, "invoice": invoice.id, "amount": amount, "currency": "usd"})
    return str(invoice.id)


def told(shop: Any, invoice: str) -> list[str]:
    """What was told of the invoice, oldest first."""
    events = shop.v1.events.list({"limit": 100}).data
    return [event.type for event in reversed(events) if event.data.object["id"] == invoice]


def test_a_draft_that_is_not_to_advance_stays_a_draft(shop: Any, draft: str) -> None:
    invoice = shop.v1.invoices.retrieve(draft)
    assert (invoice.status, invoice.auto_advance, invoice.automatically_finalizes_at) == ("draft", False, None)
    assert (invoice.billing_reason, invoice.number, invoice.parent) == ("manual", None, None)


def test_finalizing_numbers_the_invoice_and_opens_it(shop: Any, draft: str) -> None:
    invoice = shop.v1.invoices.finalize_invoice(draft)
    prefix = shop.v1.customers.retrieve(invoice.customer).invoice_prefix
    assert (invoice.status, invoice.number) == ("open", f"{prefix}-0001")
    assert (invoice.amount_due, invoice.amount_paid, invoice.amount_remaining) == (500, 0, 500)
    assert invoice.status_transitions.finalized_at == invoice.effective_at
    assert told(shop, draft) == ["invoice.created", "invoice.updated", "invoice.finalized"]


def test_each_invoice_of_a_customer_has_the_next_number(shop: Any, customer: str) -> None:
    numbers = [shop.v1.invoices.finalize_invoice(made(shop, customer)).number for _ in range(2)]
    assert [number[-4:] for number in numbers] == ["0001", "0002"]


def test_an_invoice_is_finalized_once(shop: Any, unpaid: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="already finalized") as refusal:
        shop.v1.invoices.finalize_invoice(unpaid)
    assert refusal.value.code == "invoice_not_editable"


def test_finalizing_with_auto_advance_collects_at_once(shop: Any, draft: str) -> None:
    invoice = shop.v1.invoices.finalize_invoice(draft, {"auto_advance": True})
    assert (invoice.status, invoice.amount_paid, invoice.attempt_count) == ("paid", 500, 1)
    assert told(shop, draft)[-3:] == ["invoice.finalized", "invoice.paid", "invoice.payment_succeeded"]


def test_a_payment_that_fails_leaves_the_invoice_open(shop: Any, draft: str) -> None:
    shop.settings(payments="fail")
    invoice = shop.v1.invoices.finalize_invoice(draft, {"auto_advance": True})
    assert (invoice.status, invoice.amount_remaining, invoice.attempted) == ("open", 500, True)
    assert told(shop, draft)[-1] == "invoice.payment_failed"


def test_an_invoice_over_nothing_is_paid_when_it_is_final(shop: Any, customer: str) -> None:
    invoice = shop.v1.invoices.finalize_invoice(made(shop, customer, amount=0))
    assert (invoice.status, invoice.amount_due, invoice.attempt_count) == ("paid", 0, 0)


def test_credits_beyond_the_charges_leave_nothing_due(shop: Any, customer: str) -> None:
    invoice = shop.v1.invoices.finalize_invoice(made(shop, customer, amount=-300))
    assert (invoice.status, invoice.total, invoice.amount_due) == ("paid", -300, 0)
    assert (invoice.starting_balance, invoice.ending_balance) == (0, -300)


def test_the_next_invoice_takes_off_what_was_left_to_a_customers_credit(shop: Any, customer: str) -> None:
    shop.v1.invoices.finalize_invoice(made(shop, customer, amount=-300))
    invoice = shop.v1.invoices.finalize_invoice(made(shop, customer, amount=500))
    assert (invoice.total, invoice.amount_due, invoice.starting_balance) == (500, 200, -300)
    assert invoice.ending_balance == 0
    assert shop.v1.invoices.finalize_invoice(made(shop, customer, amount=500)).amount_due == 500


def test_a_void_invoice_gives_back_the_credit_it_took(shop: Any, customer: str) -> None:
    shop.v1.invoices.finalize_invoice(made(shop, customer, amount=-300))
    shop.v1.invoices.void_invoice(shop.v1.invoices.finalize_invoice(made(shop, customer, amount=500)).id)
    assert shop.v1.invoices.finalize_invoice(made(shop, customer, amount=500)).amount_due == 200


def test_an_invoice_to_be_sent_is_due_after_its_days(shop: Any, customer: str) -> None:
    draft = made(shop, customer, collection_method="send_invoice", days_until_due=14)
    invoice = shop.v1.invoices.finalize_invoice(draft, {"auto_advance": True})
    assert invoice.due_date == invoice.status_transitions.finalized_at + 14 * DAY_S
    assert (invoice.status, told(shop, draft)[-1]) == ("open", "invoice.sent")


def test_paying_settles_an_open_invoice(shop: Any, unpaid: str) -> None:
    invoice = shop.v1.invoices.pay(unpaid)
    assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == ("paid", 500, 0)
    assert invoice.status_transitions.paid_at is not None


def test_paying_a_draft_finalizes_it(shop: Any, draft: str) -> None:
    assert shop.v1.invoices.pay(draft).status == "paid"
    assert "invoice.finalized" in told(shop, draft)


def test_an_invoice_is_paid_once(shop: Any, unpaid: str) -> None:
    shop.v1.invoices.pay(unpaid)
    with pytest.raises(stripe.InvalidRequestError, match="Invoice is already paid"):
        shop.v1.invoices.pay(unpaid)


def test_a_declined_card_is_told_to_who_pays(shop: Any, unpaid: str) -> None:
    shop.settings(payments="fail")
    with pytest.raises(stripe.CardError) as refusal:
        shop.v1.invoices.pay(unpaid)
    assert (refusal.value.http_status, refusal.value.code) == (402, "card_declined")
    assert shop.v1.invoices.retrieve(unpaid).attempt_count == 1


def test_what_was_paid_elsewhere_needs_no_card(shop: Any, unpaid: str) -> None:
    shop.settings(payments="fail")
    invoice = shop.v1.invoices.pay(unpaid, {"paid_out_of_band": True})
    assert (invoice.status, invoice.amount_paid, invoice.amount_paid_off_stripe) == ("paid", 0, 500)


def test_an_open_invoice_can_be_voided(shop: Any, unpaid: str) -> None:
    invoice = shop.v1.invoices.void_invoice(unpaid)
    assert (invoice.status, told(shop, unpaid)[-1]) == ("void", "invoice.voided")
    assert invoice.status_transitions.voided_at is not None


def test_an_open_invoice_can_be_given_up_and_still_be_paid(shop: Any, unpaid: str) -> None:
    assert shop.v1.invoices.mark_uncollectible(unpaid).status == "uncollectible"
    assert told(shop, unpaid)[-1] == "invoice.marked_uncollectible"
    assert shop.v1.invoices.pay(unpaid).status == "paid"


@pytest.mark.parametrize("step", ["void_invoice", "mark_uncollectible"])
def test_a_draft_is_neither_voided_nor_given_up(shop: Any, draft: str, step: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="This invoice isn't open"):
        getattr(shop.v1.invoices, step)(draft)


def test_a_void_invoice_cannot_be_paid(shop: Any, unpaid: str) -> None:
    shop.v1.invoices.void_invoice(unpaid)
    with pytest.raises(stripe.InvalidRequestError, match="can no longer be paid"):
        shop.v1.invoices.pay(unpaid)


def test_a_draft_can_be_deleted(shop: Any, draft: str) -> None:
    assert shop.v1.invoices.delete(draft).deleted is True
    assert told(shop, draft)[-1] == "invoice.deleted"
    with pytest.raises(stripe.InvalidRequestError, match=f"No such invoice: '{draft}'"):
        shop.v1.invoices.retrieve(draft)


def test_only_drafts_can_be_deleted(shop: Any, unpaid: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="only delete draft invoices"):
        shop.v1.invoices.delete(unpaid)


def test_a_draft_can_be_changed(shop: Any, draft: str) -> None:
    wanted: Any = {"description": "Thank you", "footer": "Bye", "metadata": {"row": "7"}}
    invoice = shop.v1.invoices.update(draft, wanted)
    assert (invoice.description, invoice.footer, invoice.metadata["row"]) == ("Thank you", "Bye", "7")


@pytest.mark.parametrize("change", [{"description": "x"}, {"footer": "x"}, {"automatically_finalizes_at": 2 * 10**9}])
def test_a_final_invoice_keeps_its_terms(shop: Any, unpaid: str, change: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.update(unpaid, change)
    assert refusal.value.code == "invoice_not_editable"


def test_metadata_can_change_after_finalization(shop: Any, unpaid: str) -> None:
    assert shop.v1.invoices.update(unpaid, {"metadata": {"a": "1"}}).metadata.to_dict() == {"a": "1"}


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"days_until_due": 3}, "days_until_due"),
        ({"automatically_finalizes_at": 2 * 10**9}, "automatically_finalizes_at"),
        ({"auto_advance": True, "automatically_finalizes_at": 5}, "automatically_finalizes_at"),
        ({"auto_advance": "perhaps"}, "auto_advance"),
        ({"collection_method": "send_invoice"}, "collection_method"),
        ({"made_up": 1}, "made_up"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(shop: Any, draft: str, change: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.update(draft, change)
    assert refusal.value.param == param


def test_an_invoice_to_be_sent_needs_its_days(shop: Any, customer: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.create({"customer": customer, "collection_method": "send_invoice"})
    assert refusal.value.param == "days_until_due"


def test_an_invoice_embeds_ten_lines_and_pages_the_rest(shop: Any, customer: str, draft: str) -> None:
    for number in range(11):
        shop.v1.invoice_items.create({"customer": customer, "invoice": draft, "amount": number, "currency": "usd"})
    embedded = shop.v1.invoices.retrieve(draft).lines
    assert (len(embedded.data), embedded.has_more) == (10, True)
    paged = shop.v1.invoices.line_items.list(draft, {"limit": 5})
    assert [line.amount for line in paged.auto_paging_iter()] == [500, *range(11)]


def test_invoices_are_listed_by_customer_and_status(shop: Any, customer: str, unpaid: str) -> None:
    waiting = made(shop, customer)
    made(shop, shop.customer())
    found = shop.v1.invoices.list({"customer": customer}).data
    assert [invoice.id for invoice in found] == [waiting, unpaid]
    assert [invoice.id for invoice in shop.v1.invoices.list({"status": "open"}).data] == [unpaid]
    assert shop.v1.invoices.list({"created": {"gt": found[0].created}}).data == []


def test_a_final_invoice_keeps_the_customers_name(shop: Any, unpaid: str) -> None:
    invoice = shop.v1.invoices.retrieve(unpaid)
    shop.v1.customers.update(invoice.customer, {"name": "Another name"})
    assert shop.v1.invoices.retrieve(unpaid).customer_name == invoice.customer_name == "A customer"


@pytest.mark.parametrize("rule", ["half_up", "half_even", "half_down", "up", "down"])
def test_the_rule_of_rounding_is_a_switch(shop: Any, customer: str, rule: str) -> None:
    shop.settings(amounts_round=rule)
    wanted: Any = {"customer": customer, "currency": "usd", "quantity_decimal": Decimal("2.5")}
    made = shop.v1.invoice_items.create(wanted | {"unit_amount_decimal": Decimal(1)})
    assert made.amount == {"half_up": 3, "half_even": 2, "half_down": 2, "up": 3, "down": 2}[rule]


@pytest.mark.parametrize("identity", ["in_none", "in_" + "x" * 5_000, "..%2F..", "%00"])
def test_an_invoice_that_does_not_exist_is_not_found(shop: Any, identity: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.retrieve(identity)
    assert refusal.value.http_status == 404


@pytest.mark.parametrize("days", ["-1", "4000", "soon"])
def test_days_that_are_no_days_are_refused(shop: Any, customer: str, days: Any) -> None:
    wanted: Any = {"customer": customer, "collection_method": "send_invoice", "days_until_due": days}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.v1.invoices.create(wanted)
    assert refusal.value.param == "days_until_due"
    assert shop.v1.invoices.list().data == []


def test_invoices_are_listed_by_when_they_are_due(shop: Any, customer: str, draft: str) -> None:
    sent = made(shop, customer, collection_method="send_invoice", days_until_due=14)
    due = shop.v1.invoices.retrieve(sent).due_date
    assert [invoice.id for invoice in shop.v1.invoices.list({"due_date": {"gte": due}}).data] == [sent]
    assert shop.v1.invoices.list({"due_date": {"lt": due}}).data == []


def test_the_same_key_makes_one_invoice(shop: Any, customer: str) -> None:
    made = [shop.v1.invoices.create({"customer": customer}, {"idempotency_key": "once"}).id for _ in range(2)]
    assert [invoice.id for invoice in shop.v1.invoices.list().data] == made[:1] == made[1:]

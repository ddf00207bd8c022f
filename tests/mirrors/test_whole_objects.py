"""What Stripe tells page by page is asked for to its end."""

from decimal import Decimal


def test_an_invoice_is_read_with_all_of_its_lines_in_stripe_s_order(shop):
    invoice = shop.make_invoice(lines=23)

    read = shop.at_stripe("invoice", invoice)

    listed = shop.v1.invoices.line_items.list(invoice, {"limit": 100}).data
    assert [line["id"] for line in read["lines"]["data"]] == [line.id for line in listed]
    assert (len(listed), read["lines"]["has_more"]) == (23, False)


def test_a_price_is_read_with_its_tiers(shop):
    told = {"currency": "usd", "product_data": {"name": "Tokens"}, "billing_scheme": "tiered", "tiers_mode": "volume"}
    recurring = {"interval": "month", "usage_type": "metered", "meter": shop.make_meter()}
    tiers = [{"up_to": "inf", "unit_amount_decimal": "0.000000000001"}]
    price = shop.v1.prices.create({**told, "recurring": recurring, "tiers": tiers}).id

    (tier,) = shop.at_stripe("price", price)["tiers"]

    assert (tier["up_to"], Decimal(tier["unit_amount_decimal"])) == (None, Decimal("1E-12"))


def test_a_deleted_customer_is_read_as_deleted(shop):
    customer = shop.make_customer()
    shop.v1.customers.delete(customer)

    assert shop.at_stripe("customer", customer) == {"id": customer, "object": "customer", "deleted": True}

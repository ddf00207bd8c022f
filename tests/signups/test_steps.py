"""The steps before the creation: each asks for a state, so that none is done twice."""

import pytest


def requests(shop, path):
    return [call["method"] for call in shop.calls(path)]


def test_tax_ids_that_are_missing_are_added_and_those_that_are_there_are_not(shop):
    customer = shop.customer()
    shop.stripe.v1.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "DE123456789"})

    shop.tell(customer=customer, customer_tax_ids=[("eu_vat", "DE123456789"), ("us_ein", "12-3456789")])
    shop.work()

    assert shop.states() == {"s1": "created"}
    found = shop.stripe.v1.customers.tax_ids.list(customer).data
    assert sorted(one.type for one in found) == ["eu_vat", "us_ein"]
    assert shop.steps() == ["price", "list", "tax_id", "tax_id+", "create+"]


@pytest.mark.parametrize("kind", ["reply_lost", "connection_reset", "error_after", "error_kept"])
def test_a_tax_id_whose_answer_was_lost_is_looked_for_and_added_once(shop, kind):
    customer = shop.customer()
    shop.fault(kind, path=f"/v1/customers/{customer}/tax_ids", times=1)

    shop.tell(customer=customer, customer_tax_ids=[("us_ein", "12-3456789")])
    for _ in range(4):
        shop.work()
        shop.pass_time(seconds=3)

    assert shop.states() == {"s1": "created"}
    assert len(shop.stripe.v1.customers.tax_ids.list(customer).data) == 1


def test_a_setup_fee_is_charged_for_a_product_that_is_made_once(shop):
    shop.tell({"row_id": "s1"}, {"row_id": "s2"}, setup_fee="49.00", collection_method="send_invoice", days_until_due=7)

    shop.work(2)

    assert set(shop.states().values()) == {"created"}
    (product,) = shop.stripe.v1.products.list({"ids": ["meterpost_setup_fee"]}).data
    assert product.name == "Setup fee"
    (fee,) = {str(c["add_invoice_items"]) for c in shop.ask("SELECT creation FROM signup")}
    assert "'unit_amount': 4900" in fee


def test_a_fee_that_the_prices_currency_cannot_tell_is_refused_before_anything_is_written(shop):
    (meter,) = {price.recurring.meter for price in shop.stripe.v1.prices.list().data}

    shop.tell(setup_fee="49.50", price=shop.make_price(meter, currency="jpy"))
    shop.work()

    assert shop.states() == {"s1": "refused"}
    assert shop.steps() == ["price"]


def test_a_payment_method_of_nobody_is_attached_and_the_customers_own_is_not(shop):
    shop.tell(customer=(customer := shop.customer()), payment_method=(card := a_card(shop)))
    shop.work()
    assert shop.states() == {"s1": "created"}
    assert shop.stripe.v1.payment_methods.retrieve(card).customer == customer

    other = shop.make_price(shop.make_meter("calls"))
    shop.tell(customer=customer, payment_method=card, price=other, row_id="s2")
    shop.work()

    assert shop.states()["s2"] == "created"
    assert shop.steps().count("payment_method+") == 1


def test_a_payment_method_of_somebody_else_is_refused(shop):
    card = a_card(shop)
    shop.stripe.v1.payment_methods.attach(card, {"customer": shop.customer()})

    shop.tell(payment_method=card)
    shop.work()

    assert shop.ask("SELECT state, split_part(reason, ':', 1) FROM signup") == [("refused", "payment_method")]
    assert "create+" not in shop.steps()


@pytest.mark.parametrize("wrong", [{"price": "price_none"}, {"customer": "cus_none"}, {"currency": "eur"}])
def test_what_stripe_does_not_know_or_the_price_forbids_is_refused_in_words(shop, wrong):
    shop.tell(**wrong)

    shop.work()

    ((state, reason),) = shop.ask("SELECT state, reason FROM signup")
    assert state == "refused"
    assert any(str(word) in reason for word in wrong.values())


def a_card(shop):
    return shop.stripe.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id

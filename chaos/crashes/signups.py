"""What a scenario plays of subscription rows: each is to have one subscription, whoever died over it."""

from typing import Any

from chaos.crashes.place import Place
from chaos.crashes.stories import rows_of_three
from meterpost import Meterpost


def rows_of_both_kinds(place: Place) -> None:
    """One claim of record's, which becomes two intakes: it may die between them."""
    rows_of_three(place)
    _sign_up(place, "dan", "eve", meter="seats")


def signed_up(place: Place) -> None:
    _sign_up(place, "ada", "bob", meter="tokens")


def subscribed_at_stripe(place: Place) -> dict[str, int]:
    return {"subscriptions at Stripe": len(place.stripe.v1.subscriptions.list({"status": "all"}).data)}


def _sign_up(place: Place, plain: str, needing: str, *, meter: str) -> None:
    """Two rows of two customers, one of which needs a tax id and a product before."""
    recurring = {"interval": "month", "usage_type": "metered", "meter": place.make_meter(meter).id}
    asked: Any = {"currency": "usd", "unit_amount": 1, "product_data": {"name": meter}, "recurring": recurring}
    price = str(place.stripe.v1.prices.create(asked).id)
    paid = {"setup_fee": "49.00", "collection_method": "send_invoice", "days_until_due": 30}
    more = {plain: {}, needing: {**paid, "customer_tax_ids": [("us_ein", "12-3456789")]}}
    rows = [{"customer": place.make_customer(name), "price": price, "row_id": name, **more[name]} for name in more]
    with Meterpost(place.env["BROKER_URL"]) as client:
        client.publish_subscriptions(rows)

"""A payment method: a card that may be attached to one customer, and never again once it is detached."""

from dataclasses import dataclass, replace

from sandbox.billing.cards import CARDS, Card
from sandbox.books import Books
from sandbox.errors import ApiError, no_such
from sandbox.wire import JsonObject

NOUN = "PaymentMethod"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    id: str
    created: int
    livemode: bool
    name: str
    """Which of the test cards it is."""
    metadata: dict[str, str]
    customer: str | None = None
    is_detached: bool = False

    @property
    def card(self) -> Card:
        return CARDS[self.name]

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": {"address": NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None},
            "card": _card_body(self.card),
            "created": self.created,
            "customer": self.customer,
            "customer_account": None,
            "livemode": self.livemode,
            "metadata": self.metadata,
            "type": "card",
        }


NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def made(books: Books, name: str, metadata: dict[str, str]) -> PaymentMethod:
    method = PaymentMethod(
        id=books.ids.new("pm"), created=books.now, livemode=books.livemode, name=name, metadata=metadata
    )
    return kept(books, method)


def attached(books: Books, method: PaymentMethod, *, customer: str) -> PaymentMethod:
    return kept(books, replace(method, customer=customer))


def kept(books: Books, method: PaymentMethod) -> PaymentMethod:
    books.shelf(PaymentMethod)[method.id] = method
    return method


def owned(books: Books, identity: str, *, customer: str, param: str) -> str:
    """The id of a payment method that is this customer's; ApiError where it is not."""
    method = books.shelf(PaymentMethod).get(identity)
    if method is None:
        raise no_such(NOUN, identity, param=param)
    if method.customer != customer:
        raise ApiError(
            400,
            f"The customer does not have a payment method with the ID {identity}. The payment method must be attached "
            "to the customer.",
            param=param,
            code="resource_missing",
        )
    return identity


def _card_body(card: Card) -> JsonObject:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": 2040,
        "fingerprint": f"card{card.last4}",
        "funding": "credit",
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }

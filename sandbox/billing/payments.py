"""Whether an attempt to collect an invoice succeeds: by the account's switch, and by the card that pays.

The subscription's own payment method pays, else its customer's. Where there is neither, money comes all the same,
unless the account's `payments` go `by_method`: so those that care nothing for cards need none.
"""

from sandbox.billing.cards import GENERIC, CardError, Decline
from sandbox.billing.payment_method import PaymentMethod
from sandbox.books import Books
from sandbox.errors import ApiError
from sandbox.resources.customers import Customer

NOTHING_TO_PAY_WITH = Decline(
    code="resource_missing",
    message="There is no `default_payment_method` set on this Customer or Invoice. Please set one or choose another "
    "payment method.",
)


def decline_of(books: Books, customer: str, *, wanted: str | None) -> Decline | None:
    """Why nothing can be collected from this customer with this payment method or their own; None where it can."""
    method = paying(books, customer, wanted=wanted)
    if books.settings.payments == "fail":
        return GENERIC
    if method is None:
        return NOTHING_TO_PAY_WITH if books.settings.payments == "by_method" else None
    return method.card.attaching or method.card.charging


def paying(books: Books, customer: str, *, wanted: str | None) -> PaymentMethod | None:
    """The wanted payment method, or the customer's own; what was detached since pays nothing."""
    found = books.shelf(Customer).get(customer)
    for identity in (wanted, None if found is None else found.default_payment_method):
        method = books.shelf(PaymentMethod).get(identity or "")
        if method is not None and method.customer == customer:
            return method
    return None


def refusal_of(decline: Decline) -> ApiError:
    """As whoever asked for the payment hears of it."""
    return ApiError(400, decline.message, code=decline.code) if decline is NOTHING_TO_PAY_WITH else CardError(decline)

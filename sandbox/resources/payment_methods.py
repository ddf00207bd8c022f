"""Payment methods: cards made of test tokens, attached to customers and detached from them.

Stripe's own `pm_card_…` can be attached as they are; the answer is a payment method of another id.
"""

from collections.abc import Iterable
from dataclasses import replace

from sandbox.billing.cards import CARDS, CardError, card_named
from sandbox.billing.payment_method import NOUN, PaymentMethod, attached, kept, made
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing, no_such
from sandbox.pages import newest_first, page
from sandbox.resources.customers import Customer, customer_body
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.events import record
from sandbox.wire import JsonObject

TOKEN = "tok_"  # noqa: S105 - what the names of test tokens begin with
READY_MADE = "pm_card_"


def create(call: Call) -> JsonObject:
    params = call.params
    if params.text("type") not in (None, "card"):
        raise invalid("The sandbox knows no payment methods but cards.", param="type")
    if "card" not in params:
        raise missing("card")
    card = params.group("card")
    token = card.required("token")
    name = card_named(token, prefix=TOKEN)
    if name is None:
        raise no_such("token", token, param=card.named("token"))
    metadata = params.metadata()
    params.nothing_else()
    return made(call.books, name, metadata).render()


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render()


def update(call: Call) -> JsonObject:
    method = existing(call, call.id)
    changed = replace(method, metadata=call.params.metadata(method.metadata))
    call.params.nothing_else()
    return _told(call, kept(call.books, changed), "payment_method.updated")


def attach(call: Call) -> JsonObject:
    name = card_named(call.id, prefix=READY_MADE)
    before = existing(call, call.id) if name is None else None
    customer = existing_customer(call, call.params.required("customer"), param="customer")
    call.params.nothing_else()
    if before is not None and before.customer == customer.id and _is_answered_again(call):
        return before.render()
    if before is not None:
        _check_attachable(before)
    refusal = CARDS[before.name if before is not None else name or ""].attaching
    if refusal is not None:
        raise CardError(refusal)
    method = before or made(call.books, name or "", {})
    return _told(call, attached(call.books, method, customer=customer.id), "payment_method.attached")


def detach(call: Call) -> JsonObject:
    method = existing(call, call.id)
    call.params.nothing_else()
    if method.customer is None:
        raise ApiError(
            400, "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    customer = call.books.shelf(Customer).get(method.customer)
    if customer is not None and customer.default_payment_method == method.id:
        bare = call.books.shelf(Customer)[customer.id] = replace(customer, default_payment_method=None)
        record(call.books, "customer.updated", customer_body(call.books, bare))
    return _told(call, kept(call.books, replace(method, customer=None, is_detached=True)), "payment_method.detached")


def list_page(call: Call) -> JsonObject:
    return _page(call, call.params.text("customer"))


def list_of_customer(call: Call) -> JsonObject:
    return _page(call, existing_customer(call, call.id).id)


def existing(call: Call, identity: str) -> PaymentMethod:
    method = call.books.shelf(PaymentMethod).get(identity)
    if method is None:
        raise no_such(NOUN, identity)
    return method


def _check_attachable(method: PaymentMethod) -> None:
    if method.customer is not None:
        raise ApiError(400, "The payment method you provided has already been attached to a customer.")
    if method.is_detached:
        raise ApiError(
            400,
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be used "
            "again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
        )


def _is_answered_again(call: Call) -> bool:
    return call.books.settings.payment_method_attached_again == "answered"


def _told(call: Call, method: PaymentMethod, kind: str) -> JsonObject:
    body = method.render()
    record(call.books, kind, body)
    return body


def _page(call: Call, customer: str | None) -> JsonObject:
    body = page(call, _wanted(call, customer), PaymentMethod.render)
    call.params.nothing_else()
    return body


def _wanted(call: Call, customer: str | None) -> Iterable[PaymentMethod]:
    """Cards alone, of one customer or of all; those that are nobody's are only found by their ids."""
    kind = call.params.text("type")
    for method in newest_first(call, PaymentMethod):
        if kind in (None, "card") and method.customer is not None and customer in (None, method.customer):
            yield method

"""Customers: who is billed.

One that is deleted is kept apart, because Stripe still answers for it, with little more than that it is gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.billing.invoice_tally import Tally, tally_of
from sandbox.billing.payment_method import owned
from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Params
from sandbox.resources.events import record
from sandbox.wire import JsonObject

NAME_MAX = 256
EMAIL_MAX = 512
PHONE_MAX = 20
ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    id: str
    created: int
    livemode: bool
    name: str | None
    email: str | None
    description: str | None
    phone: str | None
    address: JsonObject | None
    shipping: JsonObject | None
    preferred_locales: tuple[str, ...]
    default_payment_method: str | None
    """What pays where a subscription has none of its own."""
    metadata: dict[str, str]

    @property
    def invoice_prefix(self) -> str:
        """What the numbers of their invoices begin with."""
        return self.id[-8:].upper()

    def render(self, tally: Tally) -> JsonObject:
        return {
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": tally.balance,
            "created": self.created,
            "currency": tally.currency,
            "default_source": None,
            "delinquent": tally.is_delinquent,
            "description": self.description,
            "discount": None,
            "email": self.email,
            "invoice_prefix": self.invoice_prefix,
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": self.default_payment_method,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": self.livemode,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": tally.numbered + 1,
            "phone": self.phone,
            "preferred_locales": list(self.preferred_locales),
            "shipping": self.shipping,
            "tax_exempt": "none",
            "test_clock": None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedCustomer:
    id: str

    def render(self) -> JsonObject:
        return {"id": self.id, "object": "customer", "deleted": True}


def create(call: Call) -> JsonObject:
    identity = call.books.ids.new("cus")
    customer = Customer(
        id=identity,
        created=call.now,
        livemode=call.books.livemode,
        name=call.params.text("name", length_max=NAME_MAX),
        email=_email(call.params),
        description=call.params.text("description"),
        phone=call.params.text("phone", length_max=PHONE_MAX),
        address=_address(call.params),
        shipping=_shipping(call.params),
        preferred_locales=tuple(call.params.listed("preferred_locales")),
        default_payment_method=_default_payment_method(call, identity, before=None),
        metadata=call.params.metadata(),
    )
    call.params.nothing_else()
    call.books.shelf(Customer)[customer.id] = customer
    return _told(call, customer, "customer.created")


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return rendered(call, call.id)


def update(call: Call) -> JsonObject:
    params, before = call.params, existing(call, call.id)
    customer = replace(
        before,
        name=params.text("name", length_max=NAME_MAX) if "name" in params else before.name,
        email=_email(params) if "email" in params else before.email,
        description=params.text_or("description", before.description),
        phone=params.text("phone", length_max=PHONE_MAX) if "phone" in params else before.phone,
        address=_address(params) if "address" in params else before.address,
        shipping=_shipping(params) if "shipping" in params else before.shipping,
        preferred_locales=tuple(params.listed("preferred_locales")) or before.preferred_locales,
        default_payment_method=_default_payment_method(call, call.id, before=before.default_payment_method),
        metadata=params.metadata(before.metadata),
    )
    params.nothing_else()
    call.books.shelf(Customer)[customer.id] = customer
    return _told(call, customer, "customer.updated")


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), lambda customer: customer_body(call.books, customer))
    call.params.nothing_else()
    return body


def existing(call: Call, identity: str, *, param: str = "id") -> Customer:
    customer = call.books.shelf(Customer).get(identity)
    if customer is None:
        raise no_such("customer", identity, param=param)
    return customer


def rendered(call: Call, identity: str) -> JsonObject:
    """The customer, or what is left of a deleted one."""
    gone = call.books.shelf(DeletedCustomer).get(identity)
    return gone.render() if gone else customer_body(call.books, existing(call, identity))


def customer_body(books: Books, customer: Customer) -> JsonObject:
    return customer.render(tally_of(books, customer.id))


def _told(call: Call, customer: Customer, kind: str) -> JsonObject:
    body = customer_body(call.books, customer)
    record(call.books, kind, body)
    return body


def _wanted(call: Call) -> Iterable[Customer]:
    email, created = call.params.text("email"), call.params.bounds("created")
    for customer in newest_first(call, Customer):
        if email in (None, customer.email) and (created is None or created.hold(customer.created)):
            yield customer


def _email(params: Params) -> str | None:
    email = params.text("email", length_max=EMAIL_MAX)
    if email is not None and "@" not in email:
        raise invalid(f"Invalid email address: {email}", param="email", code="email_invalid")
    return email


def _default_payment_method(call: Call, customer: str, *, before: str | None) -> str | None:
    if "invoice_settings" not in call.params:
        return before
    group = call.params.group("invoice_settings")
    wanted = group.text_or("default_payment_method", before)
    if wanted is None or wanted == before:
        return wanted
    return owned(call.books, wanted, customer=customer, param=group.named("default_payment_method"))


def _address(params: Params) -> JsonObject | None:
    if not params.is_group("address"):  # left out, or the empty text that unsets it
        return None
    group = params.group("address")
    return {name: group.text(name) for name in ADDRESS_FIELDS}


def _shipping(params: Params) -> JsonObject | None:
    if not params.is_group("shipping"):
        return None
    group = params.group("shipping")
    return {"address": _address(group), "name": group.text("name"), "phone": group.text("phone")}

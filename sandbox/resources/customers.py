"""Customers: who is billed. Addresses and tax come when tax does."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.call import Call
from sandbox.errors import no_such
from sandbox.pages import is_within, newest_first, page
from sandbox.resources.events import emit
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    id: str
    created: int
    livemode: bool
    name: str | None
    email: str | None
    description: str | None
    phone: str | None
    metadata: dict[str, str]

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": self.created,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": self.description,
            "discount": None,
            "email": self.email,
            "invoice_prefix": self.id[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": self.livemode,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": 1,
            "phone": self.phone,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }


def create(call: Call) -> JsonObject:
    customer = Customer(
        id=call.books.ids.new("cus"),
        created=call.now,
        livemode=call.books.livemode,
        name=call.params.text("name"),
        email=call.params.text("email"),
        description=call.params.text("description"),
        phone=call.params.text("phone"),
        metadata=call.params.texts("metadata"),
    )
    call.books.shelf(Customer)[customer.id] = customer
    emit(call, "customer.created", customer.render())
    return customer.render()


def retrieve(call: Call) -> JsonObject:
    return existing(call, call.id).render()


def list_page(call: Call) -> JsonObject:
    return page(call, _wanted(call), Customer.render)


def existing(call: Call, identity: str, *, param: str = "id") -> Customer:
    customer = call.books.shelf(Customer).get(identity)
    if customer is None:
        raise no_such("customer", identity, param=param)
    return customer


def _wanted(call: Call) -> Iterable[Customer]:
    email = call.params.text("email")
    for customer in newest_first(call, Customer):
        if email in (None, customer.email) and is_within(call.params, "created", customer.created):
            yield customer

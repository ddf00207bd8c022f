"""Tax ids: a customer's, below the customer or with it as the owner, and the account's own, which invoices may name.

Values are checked loosely, and verified by nobody: one that Stripe would look up stays pending.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, missing, no_such
from sandbox.pages import page
from sandbox.parameters.params import Params
from sandbox.resources.customers import existing as existing_customer
from sandbox.resources.events import record
from sandbox.wire import JsonObject

OURS = ("self", "customer")
OWN = ""
"""Whom the account's own are of: no customer."""
VALUE_MAX = 50
ANY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./*&+_-]*")
VALUES: Mapping[str, re.Pattern[str]] = {
    "eu_vat": re.compile(r"[A-Z]{2}[0-9A-Z+*]{8,12}"),
    "gb_vat": re.compile(r"GB([0-9]{9}|[0-9]{12}|(GD|HA)[0-9]{3})"),
    "us_ein": re.compile(r"[0-9]{2}-?[0-9]{7}"),
}
"""Of the types that most callers use; without spaces and in capitals."""
VERIFIED = frozenset(("au_abn", "eu_vat", "gb_vat"))
"""Types whose values Stripe looks up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxId:
    id: str
    created: int
    livemode: bool
    type: str
    value: str
    customer: str | None
    """None of the account's own."""

    @property
    def country(self) -> str | None:
        """Of a VAT number of the Union the value tells it, else the type."""
        told = self.value if self.type.startswith("eu_") else self.type
        return told[:2].upper() if told[:2].isalpha() else None

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "tax_id",
            "country": self.country,
            "created": self.created,
            "customer": self.customer,
            "customer_account": None,
            "livemode": self.livemode,
            "owner": _owner_body(self),
            "type": self.type,
            "value": self.value,
            "verification": _verification(self),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The tax ids of one owner, oldest first: every invoice asks for its customer's."""

    tax_ids: tuple[TaxId, ...] = ()


def create(call: Call) -> JsonObject:
    return _created(call, customer=_owner(call))


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render()


def delete(call: Call) -> JsonObject:
    return _deleted(call, existing(call, call.id))


def list_page(call: Call) -> JsonObject:
    return _listed(call, customer=_owner(call))


def create_of_customer(call: Call) -> JsonObject:
    return _created(call, customer=existing_customer(call, call.id).id)


def retrieve_of_customer(call: Call) -> JsonObject:
    call.params.nothing_else()
    return _existing_of_customer(call).render()


def delete_of_customer(call: Call) -> JsonObject:
    return _deleted(call, _existing_of_customer(call))


def list_of_customer(call: Call) -> JsonObject:
    return _listed(call, customer=existing_customer(call, call.id).id)


def existing(call: Call, identity: str, *, param: str = "id") -> TaxId:
    found = call.books.shelf(TaxId).get(identity)
    if found is None:
        raise no_such("tax_id", identity, param=param)
    return found


def tax_ids_of(books: Books, customer: str | None) -> tuple[TaxId, ...]:
    """The customer's, or the account's own, oldest first."""
    return books.shelf(Held).get(customer or OWN, Held()).tax_ids


def _created(call: Call, *, customer: str | None) -> JsonObject:
    made = TaxId(
        id=call.books.ids.new("txi"),
        created=call.now,
        livemode=call.books.livemode,
        type=call.params.required("type"),
        value=_value(call.params),
        customer=customer,
    )
    call.params.nothing_else()
    _refuse_twin(call.books, made)
    call.books.shelf(TaxId)[made.id] = made
    _hold(call.books, customer, (*tax_ids_of(call.books, customer), made))
    _tell(call.books, made, "customer.tax_id.created")
    return made.render()


def _deleted(call: Call, gone: TaxId) -> JsonObject:
    call.params.nothing_else()
    del call.books.shelf(TaxId)[gone.id]
    _hold(call.books, gone.customer, tuple(held for held in tax_ids_of(call.books, gone.customer) if held != gone))
    _tell(call.books, gone, "customer.tax_id.deleted")
    return {"id": gone.id, "object": "tax_id", "deleted": True}


def _listed(call: Call, *, customer: str | None) -> JsonObject:
    body = page(call, reversed(tax_ids_of(call.books, customer)), TaxId.render)
    call.params.nothing_else()
    return body


def _hold(books: Books, customer: str | None, tax_ids: tuple[TaxId, ...]) -> None:
    books.shelf(Held)[customer or OWN] = Held(tax_ids=tax_ids)


def _existing_of_customer(call: Call) -> TaxId:
    customer = existing_customer(call, call.id)
    found = existing(call, call.path_ids[1])
    if found.customer != customer.id:
        raise no_such("tax_id", found.id)
    return found


def _owner(call: Call) -> str | None:
    """The customer that `owner` names; None for the account itself, as where nothing is told."""
    owner = call.params.group("owner")
    kind = owner.choice("type", ("account", "application", *OURS)) or "self"
    if kind not in OURS:
        raise invalid(f"The sandbox does not act on `owner[type]` {kind}.", param="owner[type]")
    if kind == "self":
        return None
    customer = owner.text("customer")
    if customer is None:
        raise missing("owner[customer]")
    return existing_customer(call, customer, param="owner[customer]").id


def _value(params: Params) -> str:
    kind, told = params.required("type"), params.required("value")
    value = told.strip()
    bare = value.replace(" ", "").replace(".", "").upper()
    is_right = VALUES[kind].fullmatch(bare) if kind in VALUES else ANY.fullmatch(value)
    if not is_right or len(value) > VALUE_MAX:
        raise ApiError(400, f"Invalid value for {kind}.", param="value", code="tax_id_invalid")
    return value


def _refuse_twin(books: Books, made: TaxId) -> None:
    if not books.settings.duplicate_tax_ids_are_refused:
        return
    for other in tax_ids_of(books, made.customer):
        if (other.type, other.value) == (made.type, made.value):
            raise ApiError(
                400,
                f"A tax ID of type {made.type} and value {made.value} already exists: {other.id}.",
                param="value",
                code="resource_already_exists",
            )


def _tell(books: Books, tax_id: TaxId, kind: str) -> None:
    """Stripe has events for those of customers alone."""
    if tax_id.customer is not None:
        record(books, kind, tax_id.render())


def _owner_body(tax_id: TaxId) -> JsonObject:
    return {
        "account": None,
        "application": None,
        "customer": tax_id.customer,
        "customer_account": None,
        "type": "self" if tax_id.customer is None else "customer",
    }


def _verification(tax_id: TaxId) -> JsonObject | None:
    if tax_id.customer is None:
        return None
    status = "pending" if tax_id.type in VERIFIED else "unavailable"
    return {"status": status, "verified_address": None, "verified_name": None}

"""Products: what a price is for."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.call import Call
from sandbox.errors import ApiError, no_such
from sandbox.pages import is_within, newest_first, page
from sandbox.params import Params
from sandbox.resources.events import emit
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    id: str
    created: int
    livemode: bool
    name: str
    description: str | None
    unit_label: str | None
    active: bool
    metadata: dict[str, str]

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "product",
            "active": self.active,
            "created": self.created,
            "default_price": None,
            "description": self.description,
            "images": [],
            "livemode": self.livemode,
            "marketing_features": [],
            "metadata": self.metadata,
            "name": self.name,
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": self.unit_label,
            "updated": self.created,
            "url": None,
        }


def create(call: Call) -> JsonObject:
    return shelved(call, call.params).render()


def retrieve(call: Call) -> JsonObject:
    return existing(call, call.id).render()


def list_page(call: Call) -> JsonObject:
    return page(call, _wanted(call), Product.render)


def shelved(call: Call, params: Params) -> Product:
    """Makes the product that these parameters tell: the endpoint's own, or a price's `product_data`."""
    product = Product(
        id=params.text("id") or call.books.ids.new("prod"),
        created=call.now,
        livemode=call.books.livemode,
        name=params.required("name"),
        description=params.text("description"),
        unit_label=params.text("unit_label"),
        active=params.text("active") != "false",
        metadata=params.texts("metadata"),
    )
    if product.id in call.books.shelf(Product):
        raise ApiError(400, f"Product already exists with id {product.id}.", code="resource_already_exists")
    call.books.shelf(Product)[product.id] = product
    emit(call, "product.created", product.render())
    return product


def existing(call: Call, identity: str, *, param: str = "id") -> Product:
    product = call.books.shelf(Product).get(identity)
    if product is None:
        raise no_such("product", identity, param=param)
    return product


def _wanted(call: Call) -> Iterable[Product]:
    active = call.params.choice("active", ("true", "false"))
    for product in newest_first(call, Product):
        if active in (None, str(product.active).lower()) and is_within(call.params, "created", product.created):
            yield product

"""Products: what a price is for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid, no_such
from sandbox.pages import newest_first, page
from sandbox.parameters.params import Params
from sandbox.resources.events import record
from sandbox.wire import JsonObject

IDS_MAX = 100
IMAGES_MAX = 8
UNIT_LABEL_MAX = 12
ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    id: str
    created: int
    updated: int
    livemode: bool
    name: str
    description: str | None
    unit_label: str | None
    url: str | None
    images: tuple[str, ...]
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
            "images": list(self.images),
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
            "updated": self.updated,
            "url": self.url,
        }


def create(call: Call) -> JsonObject:
    product = from_params(call, call.params)
    call.params.nothing_else()
    return shelved(call, product).render()


def retrieve(call: Call) -> JsonObject:
    call.params.nothing_else()
    return existing(call, call.id).render()


def update(call: Call) -> JsonObject:
    params, before = call.params, existing(call, call.id)
    product = replace(
        before,
        updated=call.now,
        name=params.text("name") or before.name,
        description=params.text_or("description", before.description),
        unit_label=_unit_label(params) if "unit_label" in params else before.unit_label,
        url=params.text_or("url", before.url),
        images=_images(params) if "images" in params else before.images,
        active=params.is_true("active") if "active" in params else before.active,
        metadata=params.metadata(before.metadata),
    )
    params.nothing_else()
    call.books.shelf(Product)[product.id] = product
    record(call.books, "product.updated", product.render())
    return product.render()


def list_page(call: Call) -> JsonObject:
    body = page(call, _wanted(call), Product.render)
    call.params.nothing_else()
    return body


def from_params(call: Call, params: Params) -> Product:
    """The product that these parameters tell: the endpoint's own, or a price's `product_data`."""
    identity = params.text("id")
    if identity is not None and not ID.fullmatch(identity):
        raise invalid(f"Invalid product id: {identity[:IDS_MAX]}", param=params.named("id"))
    if identity in call.books.shelf(Product):
        raise ApiError(400, f"Product already exists with id {identity}.", param="id", code="resource_already_exists")
    return Product(
        id=identity or call.books.ids.new("prod"),
        created=call.now,
        updated=call.now,
        livemode=call.books.livemode,
        name=params.required("name"),
        description=params.text("description"),
        unit_label=_unit_label(params),
        url=params.text("url"),
        images=_images(params),
        active=params.is_true_by_default("active"),
        metadata=params.metadata(),
    )


def shelved(call: Call, product: Product) -> Product:
    call.books.shelf(Product)[product.id] = product
    record(call.books, "product.created", product.render())
    return product


def existing(call: Call, identity: str, *, param: str = "id") -> Product:
    product = call.books.shelf(Product).get(identity)
    if product is None:
        raise no_such("product", identity, param=param)
    return product


def _unit_label(params: Params) -> str | None:
    return params.text("unit_label", length_max=UNIT_LABEL_MAX)


def _images(params: Params) -> tuple[str, ...]:
    images = tuple(params.listed("images"))
    if len(images) > IMAGES_MAX:
        raise invalid(f"You may list at most {IMAGES_MAX} images.", param="images")
    return images


def _wanted(call: Call) -> Iterable[Product]:
    params = call.params
    active, created, ids = params.choice("active", ("true", "false")), params.bounds("created"), params.listed("ids")
    for product in newest_first(call, Product):
        if active not in (None, str(product.active).lower()) or (ids and product.id not in ids):
            continue
        if created is None or created.hold(product.created):
            yield product

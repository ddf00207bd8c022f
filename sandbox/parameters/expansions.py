"""What `expand[]` may name, by the types of stripe-python's objects: fields that hold an id in place of an object.

Known before the call is executed, because Stripe refuses what cannot be expanded before it changes anything.
"""

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

from sandbox.errors import ApiError
from sandbox.parameters.sources import annotations, exists, located, snake, spelled_out

LEVELS_MAX = 4
PATHS_MAX = 1_000
"""How many paths are remembered: callers choose them."""
INCLUDABLE = frozenset({("Price", "tiers")})
"""Fields that are no ids, but are left out of answers until they are asked for."""
WRAPPERS = ("Optional", "List", "Union", "ExpandableField", "ListObject")
WORD = re.compile(r"[A-Z][a-z0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From an object to what stands in one of its fields."""

    field: str
    noun: str
    """The type of what stands there, such as `Customer`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A type of stripe-python: an object's, or a part's within an object's."""

    module: str
    node: ast.ClassDef
    is_list: bool = False


@lru_cache(maxsize=PATHS_MAX)
def steps(takes: str, path: str) -> tuple[Step, ...]:
    """The way that a member of `expand[]` names, in the answer to a call; ApiError where there is none."""
    names = path.split(".")
    if len(names) > LEVELS_MAX:
        raise _refused(f"You cannot expand more than {LEVELS_MAX} levels of a property. Property: {path[:200]}")
    place, found, can_end = _answer(takes), [], False
    if place.is_list and names[0] != "data":
        hint = f"You may want to try expanding 'data.{path[:200]}' instead."
        raise _refused(f"This property cannot be expanded ({path[:200]}). {hint}")
    for name in names:
        if place.is_list and name == "data":
            place, noun, can_end = _Place(module=place.module, node=place.node), place.node.name, False
        else:
            place, noun, can_end = _followed(place, name, path=path)
        found.append(Step(field=name, noun=noun))
    if not can_end:
        raise _refused(f"This property cannot be expanded ({path[:200]}).")
    return tuple(found)


def _followed(place: _Place, name: str, *, path: str) -> tuple[_Place, str, bool]:
    """Where a field leads, the type that stands there, and whether the way may end with it."""
    annotation = dict(annotations(place.node)).get(name)
    if annotation is None or place.is_list:
        raise _refused(f"This property cannot be expanded ({path[:200]}).")
    is_includable = (place.node.name, name) in INCLUDABLE
    wrappers, noun = _unwrapped(annotation)
    is_list = "ListObject" in wrappers
    target = _type(place, noun, is_list=is_list)
    if target is None and not is_includable:
        raise _refused(f"This property cannot be expanded ({path[:200]}).")
    return target or place, noun, is_includable or is_list or "ExpandableField" in wrappers


def _answer(takes: str) -> _Place:
    """The type of the answer: `billing.MeterEventSummaryList` answers a list of `billing.MeterEventSummary`.

    The longest name of an object wins, and of these the first: `CustomerTaxIdList` answers a list of `TaxId`.
    """
    *folders, name = takes.split(".")
    words = WORD.findall(name)
    for count in range(len(words), 0, -1):
        for first in range(len(words) - count + 1):
            noun = "".join(words[first : first + count])
            module = ".".join(("stripe", *folders, f"_{snake(noun)}"))
            if exists(module):
                home, node = located(module, noun)
                return _Place(module=home, node=node, is_list=words[first + count : first + count + 1] == ["List"])
    raise AssertionError(f"{takes} is named after no object of stripe-python")


def _unwrapped(node: ast.expr) -> tuple[set[str], str]:
    """The wrappers around a type's name, and the name; of several, the first stands for all."""
    wrappers: set[str] = set()
    node = spelled_out(node)
    while isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in WRAPPERS:
        wrappers.add(node.value.id)
        inner = node.slice
        node = spelled_out(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
    return wrappers, node.id if isinstance(node, ast.Name) else ""


def _type(place: _Place, noun: str, *, is_list: bool) -> _Place | None:
    for part in place.node.body:
        if isinstance(part, ast.ClassDef) and part.name == noun:
            return _Place(module=place.module, node=part, is_list=is_list)
    try:
        module, node = located(place.module, noun)
    except KeyError:  # a text, a number or another type that is nobody's class
        return None
    return _Place(module=module, node=node, is_list=is_list)


def _refused(message: str) -> ApiError:
    return ApiError(400, message, began=False)

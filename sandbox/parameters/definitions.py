"""What Stripe takes at each endpoint, by the annotations of stripe-python's `params` types.

Each type is read once, when first asked for, into a frozen shape; so what is unknown, missing or of another type is
refused without a list of the sandbox's own that could be wrong.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any

from sandbox.errors import ApiError
from sandbox.http.form import Tree
from sandbox.parameters.expansions import steps
from sandbox.parameters.shapes import (
    Anything,
    Boolean,
    Choice,
    Either,
    Findings,
    Group,
    Integer,
    ListOf,
    MapOf,
    Metadata,
    Number,
    Shape,
    Text,
    Unsettable,
)
from sandbox.parameters.sources import annotations, located, snake, spelled_out
from sandbox.wire import Bare, JsonObject

SCALARS: dict[str, Shape] = {
    "str": Text(),
    "int": Integer(),
    "bool": Boolean(),
    "float": Number(),
    "Decimal": Number(),
    "Any": Anything(),
}


def check(takes: str, wanted: Tree, *, document: JsonObject | None = None) -> None:
    """Refuses what Stripe would refuse of these parameters before it looks at anything else.

    `document` is the same call as JSON, where it came as that: its types count too.
    """
    findings = Findings()
    definition(takes).check({**wanted, **_bare(document)} if document else wanted, "", findings)
    if findings.unknown:
        raise _unknown(findings.unknown)
    if findings.refusals:
        raise findings.refusals[0]
    for path in expansions(wanted):
        steps(takes, path)


def expansions(wanted: Tree) -> list[str]:
    """The members of `expand[]`, once they are known to be texts."""
    members = wanted.get("expand")
    return [str(path) for path in members.values()] if isinstance(members, dict) else []


@cache
def definition(takes: str) -> Group:
    """The parameters of `billing.MeterEventCreate`."""
    *folders, name = takes.split(".")
    module = ".".join(("stripe", "params", *folders, f"_{snake(name)}_params"))
    group = _group(module, f"{name}Params")
    if folders[:1] == ["v2"]:
        return group
    return Group(fields={"expand": ListOf(Text())} | dict(group.fields), required=group.required)


def _bare(value: Any) -> Any:
    """JSON as a form's tree, in which what stood without quotes is still known."""
    match value:
        case dict():
            return {name: _bare(inner) for name, inner in value.items()}
        case list():
            return {str(index): _bare(member) for index, member in enumerate(value)}
        case None | str():
            return value or ""
        case bool():
            return Bare(str(value).lower())
        case _:
            return Bare(value)


def _unknown(names: list[str]) -> ApiError:
    noun = "parameter" if len(names) == 1 else "parameters"
    message = f"Received unknown {noun}: {', '.join(names)}"
    return ApiError(400, message, param=names[0], code="parameter_unknown", began=False)


@cache
def _group(module: str, name: str) -> Group:
    fields: dict[str, Shape] = {}
    required: list[str] = []
    home, node = located(module, name)
    for field, annotation in annotations(node):
        if isinstance(annotation, ast.Subscript) and _named(annotation) == "NotRequired":
            inner = annotation.slice
        else:
            inner = annotation
            required.append(field)
        fields[field] = _metadata(inner, home) if field == "metadata" else _shape(inner, home)
    return Group(fields=fields, required=tuple(required))


def _metadata(node: ast.expr, module: str) -> Shape:
    shape = _shape(node, module)
    return Unsettable(Metadata()) if isinstance(shape, Unsettable) else Metadata()


def _shape(node: ast.expr, module: str) -> Shape:
    alternatives = list(_alternatives(spelled_out(node)))
    literals = [value for part in alternatives for value in _literals(part)]
    choices = tuple(dict.fromkeys(value for value in literals if value))
    shapes = [_one(part, module) for part in alternatives if not _is_value(part)]
    if choices:  # `Literal['a', 'b']|str` is open only for the sake of older clients
        shapes = [Choice(choices), *(shape for shape in shapes if shape != Text())]
    shape = shapes[0] if len(shapes) == 1 else Either(tuple(shapes))
    is_unset_by_null = any(isinstance(part, ast.Constant) for part in alternatives)
    return Unsettable(shape) if "" in literals or is_unset_by_null else shape


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    match spelled_out(node):
        case ast.BinOp(left=left, right=right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=parts)):
            for part in parts:
                yield from _alternatives(part)
        case ast.Subscript(value=ast.Name(id="Optional"), slice=part):
            yield from _alternatives(part)
            yield ast.Constant(value=None)
        case ast.Subscript(value=ast.Name(id="UntypedStripeObject")):
            return  # what a caller may pass on from an answer: on the wire it is the map beside it
        case single:
            yield single


def _literals(node: ast.expr) -> list[str]:
    match node:
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=parts)):
            return [ast.literal_eval(part) for part in parts]
        case ast.Subscript(value=ast.Name(id="Literal"), slice=part):
            return [ast.literal_eval(part)]
        case _:
            return []


def _is_value(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or bool(_literals(node))


def _one(node: ast.expr, module: str) -> Shape:
    match node:
        case ast.Subscript(value=ast.Name(id="List"), slice=part):
            return ListOf(_shape(part, module))
        case ast.Subscript(value=ast.Name(id="Dict" | "Mapping"), slice=ast.Tuple(elts=[_, part])):
            return MapOf(_shape(part, module))
        case ast.Name(id=name) if name in SCALARS:
            return SCALARS[name]
        case ast.Name(id=name):
            return _group(module, name)
        case _:
            raise AssertionError(f"stripe-python annotates in a way not read here: {ast.unparse(node)} of {module}")


def _named(node: ast.Subscript) -> str:
    return node.value.id if isinstance(node.value, ast.Name) else ""

"""stripe-python's own source, read and not run: the classes of a module, their annotations, where names come from.

Not imported, because that costs 0.4 s of every start and most of what is asked stands in strings that
`typing.get_type_hints` cannot resolve. The source of the installed version is the definition of Stripe's API here.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

BEFORE_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One module of the package."""

    classes: dict[str, ast.ClassDef]
    imports: dict[str, str]
    """The module of the package that each imported name comes from."""


def snake(name: str) -> str:
    """`MeterEvent` as its module is called: `meter_event`."""
    return BEFORE_CAPITAL.sub("_", name).lower()


def exists(module: str) -> bool:
    return _path(module).is_file()


@cache
def source(module: str) -> Source:
    tree = ast.parse(_path(module).read_text())
    return Source(
        classes={node.name: node for node in tree.body if isinstance(node, ast.ClassDef)},
        imports={
            name.asname or name.name: str(node.module)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe.")
            for name in node.names
        },
    )


def located(module: str, name: str) -> tuple[str, ast.ClassDef]:
    """The class that a name of this module means, and the module that defines it."""
    found = source(module).classes.get(name)
    return (module, found) if found else located(source(module).imports[name], name)


def annotations(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, spelled_out(part.annotation)


def spelled_out(node: ast.expr) -> ast.expr:
    """An annotation that stands in a string, without the string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.parse(node.value, mode="eval").body
    return node


def _path(module: str) -> Path:
    return _package().joinpath(*module.split(".")[1:]).with_suffix(".py")


@cache
def _package() -> Path:
    spec = find_spec("stripe")
    assert spec is not None, "the sandbox is installed together with stripe"
    assert spec.origin is not None, "stripe is a package of files"
    return Path(spec.origin).parent

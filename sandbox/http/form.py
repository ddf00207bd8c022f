"""Form bodies and query strings as Stripe reads them: brackets nest, all-digit keys make lists.

Parsed by hand, because this runs once a call and aiohttp's own reader keeps the brackets as flat names.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode

Pairs: TypeAlias = list[tuple[str, str]]
Tree: TypeAlias = "dict[str, str | Tree]"

PAIRS_MAX = 2_000
DEPTH_MAX = 8


class UnreadableError(ValueError):
    """Parameters that no honest client sends; the text says why they were not read."""


def tree_of_form(text: str) -> Tree:
    """`items[0][price]=p` becomes `{"items": {"0": {"price": "p"}}}`; `expand[]=a` counts up by itself."""
    tree: Tree = {}
    for name, value in _pairs(text):
        _plant(tree, _steps(name), value)
    return tree


def form_of_tree(tree: Tree) -> str:
    """The query string that reads as this tree."""
    return urlencode(list(_flat(tree, prefix="")))


def _pairs(text: str) -> Pairs:
    if not text:
        return []
    if "\0" in text or "%00" in text:
        raise UnreadableError("A parameter contains a null byte.")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=PAIRS_MAX, errors="strict")
    except UnicodeDecodeError as wrong:
        raise UnreadableError("Invalid request: the parameters are not encoded as UTF-8.") from wrong
    except ValueError as wrong:
        raise UnreadableError(f"Invalid request: there are more than {PAIRS_MAX} parameters.") from wrong


def _steps(name: str) -> list[str]:
    if "[" not in name:
        return [name]
    head, *rest = name.split("[")
    if len(rest) > DEPTH_MAX:
        raise UnreadableError(f"Invalid request: parameters are nested deeper than {DEPTH_MAX} levels.")
    return [head, *(step.removesuffix("]") for step in rest)]


def _plant(tree: Tree, steps: list[str], value: str) -> None:
    branch = tree
    for step, following in pairwise(steps):
        name = step or _current(branch, following)
        below = branch.setdefault(name, {})
        if isinstance(below, str):  # `a=1&a[b]=2`: the later shape wins, as nothing sane sends both
            below = branch[name] = {}
        branch = below
    branch[steps[-1] or str(len(branch))] = value


def _current(members: Tree, following: str) -> str:
    """Of `items[][price]=…&items[][quantity]=…`: the last member, until it has a value of this name already."""
    last = members.get(str(len(members) - 1))
    is_open = isinstance(last, dict) and following not in last
    return str(len(members) - 1 if is_open else len(members))


def _flat(tree: Tree, *, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        spelt = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, str):
            yield spelt, value
        else:
            yield from _flat(value, prefix=spelt)

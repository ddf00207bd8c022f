"""Form bodies and query strings as Stripe reads them: brackets nest, all-digit keys make lists.

Parsed by hand, because this runs once a call and aiohttp's own reader keeps the brackets as flat names.
"""

from typing import TypeAlias
from urllib.parse import parse_qsl

Pairs: TypeAlias = list[tuple[str, str]]
Tree: TypeAlias = "dict[str, str | Tree]"

PAIRS_MAX = 2_000
DEPTH_MAX = 8


def pairs_of(text: str) -> Pairs:
    """The flat pairs; ValueError where there are more of them than any honest call carries."""
    return parse_qsl(text, keep_blank_values=True, max_num_fields=PAIRS_MAX)


def tree_of(pairs: Pairs) -> Tree:
    """`items[0][price]=p` becomes `{"items": {"0": {"price": "p"}}}`; `expand[]=a` counts up by itself."""
    tree: Tree = {}
    for name, value in pairs:
        _plant(tree, _steps(name), value)
    return tree


def _steps(name: str) -> list[str]:
    if "[" not in name:
        return [name]
    head, *rest = name.split("[")
    return [head, *(step.removesuffix("]") for step in rest[:DEPTH_MAX])]


def _plant(tree: Tree, steps: list[str], value: str) -> None:
    branch = tree
    for step in steps[:-1]:
        below = branch.setdefault(step, {})
        if isinstance(below, str):  # `a=1&a[b]=2`: the later shape wins, as nothing sane sends both
            below = branch[step] = {}
        branch = below
    branch[steps[-1] or str(len(branch))] = value

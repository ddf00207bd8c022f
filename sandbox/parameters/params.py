"""A call's parameters, read by name and type, once the definitions have found nothing wrong with them.

The door between strings and values: endpoints ask for a text, a whole number, a decimal or a group, and never
see the raw form. What is refused here is what the definitions leave open: which of several shapes, how much, how long.
"""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.errors import invalid, missing
from sandbox.http.form import Tree
from sandbox.parameters.shapes import (
    DECIMAL,
    DECIMAL_PLACES_MAX,
    INTEGER,
    METADATA_KEYS_MAX,
    TEXT_MAX,
    cannot_be_unset,
    not_among,
    too_many_keys,
)

__all__ = ["TEXT_MAX", "Bounds", "Params"]

INSTANT_MAX = 4_102_444_800  # the year 2100
NO_BOUND = 2**63
ANYWHERE = frozenset({"expand"})
"""What the door reads, of every call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The stamps that a list filter such as `created` asks for, both ends included."""

    lowest: int
    highest: int

    def hold(self, stamp: int | None) -> bool:
        return stamp is not None and self.lowest <= stamp <= self.highest


class Params:
    def __init__(self, tree: Tree, *, within: str = "") -> None:
        self._tree = tree
        self._prefix = within
        self._read: set[str] = set()
        self._groups: dict[str, Params] = {}

    def __contains__(self, name: str) -> bool:
        self._read.add(name)
        return name in self._tree

    def nothing_else(self) -> None:
        """Refuses what the endpoint has not read, and so does not act on: nothing a caller asks for is ignored.

        To be called when everything was read and before anything is changed.
        """
        for name in self._tree:
            if name not in self._read and name not in ANYWHERE:
                raise invalid(f"The sandbox does not act on `{self.named(name)}`.", param=self.named(name))
        for group in self._groups.values():
            group.nothing_else()

    def named(self, name: str) -> str:
        """The name as Stripe's errors spell it: `recurring[meter]`."""
        return f"{self._prefix}[{name}]" if self._prefix else name

    def text(self, name: str, *, length_max: int = TEXT_MAX) -> str | None:
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", param=self.named(name))
        if len(value) > length_max:
            message = f"Invalid string: {value[:20]}...; must be at most {length_max} characters"
            raise invalid(message, param=self.named(name))
        return value or None

    def required(self, name: str, *, length_max: int = TEXT_MAX) -> str:
        value = self.text(name, length_max=length_max)
        if value is None and name in self._tree:
            raise cannot_be_unset(self.named(name))
        if value is None:
            raise missing(self.named(name))
        return value

    def choice(self, name: str, among: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is not None and value not in among:
            raise not_among(among, self.named(name))
        return value

    def required_choice(self, name: str, among: tuple[str, ...]) -> str:
        self.required(name)
        return self.choice(name, among) or ""

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not INTEGER.fullmatch(value):
            raise invalid(f"Invalid integer: {value}", param=self.named(name), code="parameter_invalid_integer")
        return int(value)

    def required_integer(self, name: str) -> int:
        self.required(name)
        return self.integer(name) or 0

    def instant(self, name: str) -> int | None:
        """A Unix time that a calendar can hold; milliseconds, sent by mistake, are not one."""
        value = self.integer(name)
        if value is not None and not 0 <= value <= INSTANT_MAX:
            raise invalid(f"Invalid timestamp: {value}; must be an integer Unix timestamp", param=self.named(name))
        return value

    def within(self, name: str, lowest: int, highest: int) -> int | None:
        value = self.integer(name)
        if value is not None and not lowest <= value <= highest:
            message = f"Invalid {self.named(name)}: must be between {lowest} and {highest}"
            raise invalid(message, param=self.named(name))
        return value

    def decimal(self, name: str) -> Decimal | None:
        value = self.text(name)
        if value is None:
            return None
        if not DECIMAL.fullmatch(value):
            raise invalid(
                f"Invalid decimal: {value}; must have at most {DECIMAL_PLACES_MAX} decimal places",
                param=self.named(name),
            )
        return Decimal(value)

    def bounds(self, name: str) -> Bounds | None:
        """What `created=…` or `created[gt|gte|lt|lte]=…` asks for; None where the call does not ask."""
        if name not in self:
            return None
        if not self.is_group(name):
            stamp = self.integer(name) or 0
            return Bounds(lowest=stamp, highest=stamp)
        asked = self.group(name)
        above, least = asked.integer("gt"), asked.integer("gte")
        below, most = asked.integer("lt"), asked.integer("lte")
        return Bounds(
            lowest=max(-NO_BOUND if above is None else above + 1, -NO_BOUND if least is None else least),
            highest=min(NO_BOUND if below is None else below - 1, NO_BOUND if most is None else most),
        )

    def is_true_by_default(self, name: str) -> bool:
        return self.choice(name, ("true", "false")) != "false"

    def is_true(self, name: str) -> bool:
        return self.choice(name, ("true", "false")) == "true"

    def is_group(self, name: str) -> bool:
        return isinstance(self._value(name), dict)

    def group(self, name: str) -> "Params":
        return self._grown(self._branch(name), within=self.named(name))

    def groups(self, name: str) -> list["Params"]:
        """The members of an array of groups, `items[0][…]`, in the order of their indexes."""
        named = self.named(name)
        branch = self._branch(name)
        groups: list[Params] = []
        for index in sorted(branch, key=_position):
            member = branch[index]
            assert isinstance(member, dict), "the definitions let only groups into an array of groups"
            groups.append(self._grown(member, within=f"{named}[{index}]"))
        return groups

    def texts(self, name: str) -> dict[str, str]:
        """A hash of strings, such as `metadata` and a meter event's `payload`."""
        return {key: value for key, value in self._branch(name).items() if isinstance(value, str)}

    def metadata(self, before: dict[str, str] | None = None) -> dict[str, str]:
        """What metadata becomes: empty values unset their keys, an empty whole all of them."""
        if "metadata" in self and self._tree["metadata"] == "":
            return {}
        merged = (before or {}) | self.texts("metadata")
        kept = {key: value for key, value in merged.items() if value}
        if len(kept) > METADATA_KEYS_MAX:
            raise too_many_keys(len(kept), self.named("metadata"))
        return kept

    def text_or(self, name: str, before: str | None) -> str | None:
        """What a text becomes in an update: as it was, unless the call tells it; an empty one unsets it."""
        return self.text(name) if name in self else before

    def listed(self, name: str) -> list[str]:
        return list(self.texts(name).values())

    def _value(self, name: str) -> "str | Tree | None":
        self._read.add(name)
        return self._tree.get(name)

    def _grown(self, tree: Tree, *, within: str) -> "Params":
        """The same group again when asked again, so that it knows all that was read of it."""
        return self._groups.setdefault(within, Params(tree, within=within))

    def _branch(self, name: str) -> Tree:
        branch = self._value(name)
        if branch is None or branch == "":
            return {}
        assert isinstance(branch, dict), "the definitions let no text stand where a group does"
        return branch


def _position(index: str) -> int:
    return int(index) if index.isdigit() else 0

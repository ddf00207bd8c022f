"""What a control is asked for, read by name and type; what it does not know is refused, with the field named."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sandbox.wire import JsonObject

MISSING = "is missing"


class ControlError(ValueError):
    """A control cannot do what it is asked; `field` is what is wrong."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(f"{field} {message}" if field else message)
        self.field = field


class Asked:
    """JSON body and query together; a query's numbers and truths come as text."""

    def __init__(self, fields: JsonObject) -> None:
        self._fields = fields
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        self._read.add(name)
        return self._fields.get(name) is not None

    def text(self, name: str) -> str | None:
        value = self._value(name)
        if value is not None and not isinstance(value, str):
            raise ControlError(name, "must be a string")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise ControlError(name, MISSING)
        return value

    def whole(self, name: str, *, default: int, highest: int) -> int:
        value = self._value(name)
        if value is None:
            return default
        if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 20:  # noqa: PLR2004 - more digits than any count has
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
            raise ControlError(name, f"must be a whole number within 0 and {highest}")
        return value

    def number(self, name: str, lowest: float, highest: float) -> float:
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise ControlError(name, f"must be a number within {lowest:g} and {highest:g}")
        return value

    def is_true(self, name: str) -> bool:
        value = self._value(name)
        if value not in (None, True, False, "true", "false"):
            raise ControlError(name, "must be true or false")
        return value in (True, "true")

    def group(self, name: str) -> JsonObject:
        value = self._value(name)
        if value is None:
            raise ControlError(name, MISSING)
        if not isinstance(value, dict):
            raise ControlError(name, "must be a JSON object")
        return value

    def rest(self) -> JsonObject:
        """All that was not read yet."""
        left = {name: value for name, value in self._fields.items() if name not in self._read}
        self._read |= left.keys()
        return left

    def nothing_else(self) -> None:
        for name in self.rest():
            raise ControlError(name, "means nothing to this control; GET /_sandbox lists them all")

    def _value(self, name: str) -> object:
        self._read.add(name)
        return self._fields.get(name)


Controls: TypeAlias = dict[tuple[str, str], Callable[[Asked], Awaitable[JsonObject]]]
"""By method and by what stands behind the root; `GET /_sandbox` tells the first line of each one's docstring."""

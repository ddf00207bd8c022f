"""The shapes that Stripe's definitions give parameters, and the refusals of what has another shape.

A form is all text, so a number is a text that reads as one; of v2's JSON, what stood without quotes is `Bare` and no
text. A shape adds to the findings and goes on, because Stripe tells all unknown names at once.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.errors import ApiError, invalid, missing
from sandbox.wire import Bare

TEXT_MAX = 5_000
DECIMAL_PLACES_MAX = 12
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
SHOWN_MAX = 100
"""How much of a wrong value a refusal repeats."""
INTEGER = re.compile(r"-?[0-9]{1,18}")
DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,12})?")


@dataclass(slots=True, kw_only=True)
class Findings:
    """What is wrong with the parameters of one call."""

    unknown: list[str] = field(default_factory=list)
    refusals: list[ApiError] = field(default_factory=list)

    def wrong(self, noun: str, value: object, name: str) -> None:
        code = "parameter_invalid_integer" if noun == "integer" else None
        self.refusals.append(invalid(f"Invalid {noun}: {_shown(value)}", param=name, code=code))

    def is_missing(self, value: object, name: str) -> bool:
        """Whether the value is empty and so unset, which it cannot be; noted, if so."""
        if value != "":
            return False
        self.refusals.append(cannot_be_unset(name))
        return True


class Shape(Protocol):
    def check(self, value: object, name: str, findings: Findings) -> None: ...


@dataclass(frozen=True, slots=True)
class Text:
    def check(self, value: object, name: str, findings: Findings) -> None:
        if not isinstance(value, str) or isinstance(value, Bare):
            findings.wrong("string", value, name)
        elif len(value) > TEXT_MAX:
            message = f"Invalid string: {value[:20]}...; must be at most {TEXT_MAX} characters"
            findings.refusals.append(invalid(message, param=name))
        else:
            findings.is_missing(value, name)


@dataclass(frozen=True, slots=True)
class Integer:
    def check(self, value: object, name: str, findings: Findings) -> None:
        is_right = isinstance(value, str) and INTEGER.fullmatch(value) is not None
        if not is_right and not findings.is_missing(value, name):
            findings.wrong("integer", value, name)


@dataclass(frozen=True, slots=True)
class Number:
    def check(self, value: object, name: str, findings: Findings) -> None:
        if isinstance(value, str) and DECIMAL.fullmatch(value):
            return
        if not findings.is_missing(value, name):
            message = f"Invalid decimal: {_shown(value)}; must have at most {DECIMAL_PLACES_MAX} decimal places"
            findings.refusals.append(invalid(message, param=name))


@dataclass(frozen=True, slots=True)
class Boolean:
    def check(self, value: object, name: str, findings: Findings) -> None:
        if value not in ("true", "false") and not findings.is_missing(value, name):
            findings.wrong("boolean", value, name)


@dataclass(frozen=True, slots=True)
class Choice:
    among: tuple[str, ...]

    def check(self, value: object, name: str, findings: Findings) -> None:
        if value not in self.among and not findings.is_missing(value, name):
            findings.refusals.append(not_among(self.among, name))


@dataclass(frozen=True, slots=True)
class Unsettable:
    """A shape, or the empty text that unsets."""

    shape: Shape

    def check(self, value: object, name: str, findings: Findings) -> None:
        if value != "":
            self.shape.check(value, name, findings)


@dataclass(frozen=True, slots=True)
class Group:
    fields: Mapping[str, Shape]
    required: tuple[str, ...]

    def check(self, value: object, name: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.refusals.append(invalid("Invalid object", param=name))
            return
        for key, inner in value.items():
            named = f"{name}[{key}]" if name else key
            shape = self.fields.get(key)
            if shape is None:
                findings.unknown.append(named)
            else:
                shape.check(inner, named, findings)
        for key in self.required:
            if key not in value:
                findings.refusals.append(missing(f"{name}[{key}]" if name else key))


@dataclass(frozen=True, slots=True)
class ListOf:
    shape: Shape

    def check(self, value: object, name: str, findings: Findings) -> None:
        members = _members(value)
        if not isinstance(members, list):
            if not findings.is_missing(value, name):
                findings.refusals.append(invalid("Invalid array", param=name))
            return
        for index, member in enumerate(members):
            self.shape.check(member, f"{name}[{index}]", findings)


@dataclass(frozen=True, slots=True)
class MapOf:
    """Names of the caller's own; their values may be empty, which unsets them or is the endpoint's to judge."""

    shape: Shape

    def check(self, value: object, name: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.refusals.append(invalid("Invalid object", param=name))
            return
        for key, inner in value.items():
            if inner != "":
                self.shape.check(inner, f"{name}[{key}]", findings)


@dataclass(frozen=True, slots=True)
class Metadata:
    """The map that every object has, with its own limits."""

    def check(self, value: object, name: str, findings: Findings) -> None:
        MapOf(Text()).check(value, name, findings)
        if findings.refusals or not isinstance(value, dict):
            return
        if len(value) > METADATA_KEYS_MAX:
            findings.refusals.append(too_many_keys(len(value), name))
        for key, text in value.items():
            for limit, noun, part in ((METADATA_KEY_MAX, "key", key), (METADATA_VALUE_MAX, "value", str(text))):
                if len(part) > limit:
                    findings.refusals.append(_too_long(part, noun, limit=limit, name=name))


@dataclass(frozen=True, slots=True)
class Either:
    """One of several shapes; of a value that fits none, the last is told that has its kind."""

    shapes: tuple[Shape, ...]

    def check(self, value: object, name: str, findings: Findings) -> None:
        told = Findings()
        for shape in self.shapes:
            found = Findings()
            shape.check(value, name, found)
            if not found.unknown and not found.refusals:
                return
            if isinstance(value, dict) == isinstance(shape, Group | ListOf | MapOf):
                told = found
        findings.unknown += told.unknown
        findings.refusals += told.refusals or [invalid(f"Invalid {name}: {_shown(value)}", param=name)]


@dataclass(frozen=True, slots=True)
class Anything:
    def check(self, value: object, name: str, findings: Findings) -> None:
        """Nothing is wrong."""


def not_among(among: tuple[str, ...], name: str) -> ApiError:
    *most, last = among
    separator = ", or " if len(most) > 1 else " or "
    listed = ", ".join(most) + separator + last if most else last
    return invalid(f"Invalid {name}: must be one of {listed}", param=name)


def cannot_be_unset(name: str) -> ApiError:
    return invalid(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however "
        f"'{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
        param=name,
        code="parameter_invalid_empty",
    )


def too_many_keys(count: int, name: str) -> ApiError:
    message = f"Metadata can have up to {METADATA_KEYS_MAX} keys, but you passed in {count}."
    return invalid(message, param=name)


def _too_long(text: str, noun: str, *, limit: int, name: str) -> ApiError:
    return invalid(
        f"Metadata {noun}s can have up to {limit} characters, but you passed in a {noun} that is {len(text)} "
        f"characters. Invalid {noun}: {_shown(text)}",
        param=name,
    )


def _members(value: object) -> object:
    """The members of a form's array, `items[0]`, in the order of their indexes; anything else as it is."""
    if not isinstance(value, dict) or not all(index.isdigit() for index in value):
        return value
    return [value[index] for index in sorted(value, key=int)]


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."

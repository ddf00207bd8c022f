"""How a row's schema is read and its refusals are told, whatever kind of row it is.

Every field has a rule; what a rule refuses is told by field, reason and remedy, in words that may go into a ledger and
onto a screen.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from marshmallow import ValidationError, fields

NAME_LENGTH_MAX: Final = 100  # of a field that nobody knows, as it is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something is not a row: the field (`row` for the whole), what was wrong, and the remedy."""

    field: str
    reason: str


class Ruled(fields.Field[Any]):
    """A field that is read by a rule."""

    default_error_messages = {  # noqa: RUF012 (marshmallow declares it as an instance variable)
        "required": "is missing",
        "null": "is null; give a value or leave the field out",
    }

    def __init__(self, rule: Callable[[object], object], **options: Any) -> None:
        super().__init__(**options)
        self.rule = rule

    def _deserialize(self, value: object, *_: object, **__: object) -> object:
        return self.rule(value)


def explain(refused: ValidationError, *, fields: Sequence[str], known: Collection[str], row: str) -> Refusal:
    """The first of what was wrong, in the order of the schema's `fields`; unknown ones come before all.

    `known` are those that are told as fields of such a row, and `row` is what it is called.
    """
    messages = cast("dict[str, list[str]]", refused.normalized_messages())  # type: ignore[no-untyped-call]
    if "_schema" in messages:
        return Refusal(field="row", reason=f"is not an object with the fields of {row}")
    for name in sorted(map(str, messages.keys() - fields)):  # of a mapping that is no JSON any key may come
        reason = f"is not a field of {row}; {hint_at(name, [field for field in fields if field in known], row=row)}"
        return Refusal(field=printable(name), reason=reason)
    name = next(name for name in fields if name in messages)
    return Refusal(field=name, reason="; ".join(messages[name]))


def hint_at(name: str, known: Iterable[str], *, row: str) -> str:
    """What was meant by a name that is none of the known ones."""
    known = list(known)
    nearest = difflib.get_close_matches(name[:NAME_LENGTH_MAX], known, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"{row} has {', '.join(known)}"


def printable(name: str) -> str:
    # It goes into a ledger and onto a screen: no NUL, no lone surrogate, no escape sequence.
    return (name if name.isprintable() else ascii(name))[:NAME_LENGTH_MAX]

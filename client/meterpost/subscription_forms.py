"""Lists and pairs as they are told: as Python or JSON tells them, or as one text, in a cell of a file or at the desk.

`txr_1, txr_2` is a list; `eu_vat:DE123; us_ein:12-34` and `PO number=4711; Team=blue` are pairs; what has a `;` of its
own is told as JSON. Sizes are looked at before any work, because anything may come.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from marshmallow import ValidationError

TEXT_LENGTH_MAX: Final = 65_536  # of a list or of pairs as one text: fifty metadata values of the longest fit

_BETWEEN_IDS: Final = re.compile(r"[,;\s]+")


def read_texts(said: object, *, texts_max: int, example: str) -> list[object]:
    """The members of a list, each still to be judged."""
    said = _open_text(said, example=example) if _is_json(said) else said
    if isinstance(said, str):
        members: Sequence[object] = [text for text in _BETWEEN_IDS.split(_limited(said)) if text]
    elif isinstance(said, list | tuple):
        members = said
    else:
        raise ValidationError(f"is a value of type {type(said).__name__}, not a list; write {example}")
    if not 1 <= len(members) <= texts_max:
        raise ValidationError(f"has {len(members)} members; give 1 to {texts_max}, or leave the field out")
    return list(members)


def read_pairs(
    said: object, *, names: tuple[str, str], pairs_max: int, between: str, example: str
) -> list[tuple[object, object]]:
    """The pairs, each part still to be judged: of an object, of a list of pairs or of objects with these names."""
    said = _open_text(said, example=example) if _is_json(said) else said
    if isinstance(said, str):
        said = [_split(part, between=between, example=example) for part in _limited(said).split(";") if part.strip()]
    if not isinstance(said, Mapping | list | tuple):
        raise ValidationError(f"is a value of type {type(said).__name__}; write {example}")
    if not 1 <= len(said) <= pairs_max:
        raise ValidationError(f"has {len(said)} members; give 1 to {pairs_max}, or leave the field out")
    if isinstance(said, Mapping):
        return list(said.items())
    return list(_pairs(said, names=names, example=example))


def _pairs(said: Sequence[object], *, names: tuple[str, str], example: str) -> Iterator[tuple[object, object]]:
    for member in said:
        match member:
            case [first, second]:
                yield first, second
            case {**parts} if parts.keys() == set(names):
                yield parts[names[0]], parts[names[1]]
            case _:
                raise ValidationError(f"has a member that is no pair of {names[0]} and {names[1]}; write {example}")


def _split(part: str, *, between: str, example: str) -> tuple[str, str]:
    first, found, second = part.partition(between)
    if not found:
        raise ValidationError(f'has a part without "{between}"; write {example}')
    return first.strip(), second.strip()


def _is_json(said: object) -> bool:
    return isinstance(said, str) and said.lstrip()[:1] in {"[", "{"}


def _open_text(said: object, *, example: str) -> object:
    assert isinstance(said, str), "only a text is opened"
    try:
        return json.loads(_limited(said))
    except (ValueError, RecursionError):
        raise ValidationError(f"begins as JSON and is none; write {example}") from None


def _limited(said: str) -> str:
    if len(said) > TEXT_LENGTH_MAX:
        raise ValidationError(f"is {len(said)} characters long; give at most {TEXT_LENGTH_MAX}")
    return said

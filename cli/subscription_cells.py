"""A field of a subscription row as one cell of a file, and back.

Lists and pairs are read by the client, whose rules take them as texts: `txr_1;txr_2`, `PO number=4711;Team=blue`,
and as JSON what has a `;` of its own. Here is what spreadsheets write their own way, and the way back into a file.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cli.csv_rows import read_timestamp

Read = Callable[[str], object]

TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
BETWEEN: Final = {"customer_tax_ids": ":"}  # a name and its value; elsewhere =


class CellRefused(Exception):
    """The cell says nothing that a row can take; the text says why."""


def read_truth(cell: str) -> object:
    """Anything else stays what it is: the field's own rule says what is wrong with it."""
    return TRUTHS.get(cell.lower(), cell)


def read_instant(cell: str) -> object:
    """A date, epoch seconds or ISO 8601 with an offset, as in files of usage."""
    try:
        return read_timestamp(cell).isoformat()
    except (ValueError, OverflowError, OSError):
        return cell


def write_cell(value: object, *, between: str = "=") -> str:
    """What a row's canonical form has of a field, as `between` joins a name to its value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _pairs(list(value.items()), whole=value, between=between)
    if isinstance(value, list):
        is_paired = isinstance(value[0], list)
        return _pairs(value, whole=value, between=between) if is_paired else ";".join(value)
    return str(value)


def _pairs(pairs: Sequence[Sequence[object]], *, whole: object, between: str) -> str:
    plain = [(str(name), str(value)) for name, value in pairs]
    text = ";".join(f"{name}{between}{value}" for name, value in plain)
    is_plain = all(_is_plain(name, but=f"{between};") and _is_plain(value, but=";") for name, value in plain)
    return text if is_plain and text[:1] not in "[{" else json.dumps(whole, ensure_ascii=False)


def _is_plain(text: str, *, but: str) -> bool:
    """Nothing is lost where it stands between others."""
    return text == text.strip() and not {*but} & {*text}

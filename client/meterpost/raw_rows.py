"""The rows of a message as the bytes that were sent, for those that are kept because they are bad.

Writing a bad row again from what was parsed would change it (`1.0e3`, a key told twice), and it is kept as
evidence. Only messages with a bad row pay for this second look.
"""

from __future__ import annotations

import json
import re
from typing import Final

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def slice_rows(text: str) -> list[bytes]:
    """One slice for each element of the top-level `rows`. `text` must be a JSON object with such an array."""
    rows: list[bytes] = []
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if name == "rows" and text[at] == "[":
            rows, at = _slice_array(text, at)  # a name told twice: the last counts, as it does for the parser
        else:
            at = _DECODER.raw_decode(text, at)[1]
        at = _skip_comma(text, at)
    return rows


def _slice_array(text: str, at: int) -> tuple[list[bytes], int]:
    slices = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        slices.append(text[at:end].encode())
        at = _skip_comma(text, end)
    return slices, at + 1


def _skip_comma(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at

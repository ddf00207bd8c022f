"""Take secrets out of anything that is about to be written where people read: logs, errors, the settings' overview.

Two nets, because each alone has holes: names (whatever a field called `…token…` holds) and values (whatever looks like
a Stripe key, a webhook secret, a URL's password or a bearer, wherever it stands, tracebacks included). Names that
merely end in `key` but are ids, and not secrets, are listed.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice
from typing import Any

REDACTED = "[redacted]"
DEPTH_MAX = 6  # what is nested deeper says nothing to a reader of logs
ITEMS_MAX = 100  # a list longer than this is a payload, and payloads are not logged
TEXT_MAX = 16_000  # a traceback fits; a body of megabytes does not
TAIL_CHARS = 4  # of a key: enough to tell two keys apart, as Stripe's Dashboard does
TAIL_FROM_CHARS = 16  # of anything shorter, four characters would be a good part

_SECRET_NAME = re.compile(r"key|secret|token|authorization|cookie|dsn|passw(or)?d|userinfo", re.IGNORECASE)
_ID_NAMES = frozenset({"idempotency_key", "row_key", "customer_key", "value_key"})

_STRIPE_KEY = re.compile(r"\b((?:sk|rk|pk)_(?:live|test)_)(\w+)")
_WEBHOOK_SECRET = re.compile(r"\bwhsec_[\w+/=-]+")
_USERINFO = re.compile(r"(?<=://)[^\s'\"<>]*@")
_BEARER = re.compile(r"\b(Bearer|Basic)(\s+)[\w.~+/=:-]+", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    r"(?P<name>\b(?:\w*passw(?:or)?d|\w*secret|\w*token|authorization|cookie|dsn|api[_-]?key)\b['\"]?\s*[=:]\s*)"
    r"(?P<value>b?'[^']*'|b?\"[^\"]*\"|[^\s'\",;&)}]+)",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_BUT_NEWLINE = re.compile(_CONTROL.pattern.replace(r"\x00-\x1f", r"\x00-\x09\x0b-\x1f"))
_MASKED = re.compile(r"['\"]?((sk|rk|pk)_(live|test)_…\w{0,4}|whsec_…|Bearer|Basic|\[redacted\])")


def redact(value: object, *, depth: int = 0) -> object:
    """`value` as JSON can carry it, without secrets: strings scrubbed, mappings and sequences gone through."""
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping() | list() | tuple() | set() | frozenset():
            return _redact_within(value, depth=depth + 1) if depth < DEPTH_MAX else "…"
        case bytes() | bytearray():
            return f"<{len(value)} bytes>"
        case BaseException():
            return scrub(f"{type(value).__name__}: {value}")
        case _:
            return scrub(value.isoformat() if isinstance(value, date) else str(value))


def redact_field(name: str, value: object, *, depth: int = 0) -> object:
    """The value of a named field: gone entirely where the name says that it is a secret."""
    if value and isinstance(value, str | bytes | list | tuple | Mapping) and is_secret_name(name):
        return REDACTED
    return redact(value, depth=depth)


def is_secret_name(name: str) -> bool:
    return name.lower() not in _ID_NAMES and _SECRET_NAME.search(name) is not None


def scrub(text: str) -> str:
    """`text` without anything that looks like a secret, and not longer than TEXT_MAX characters."""
    text = text if len(text) <= TEXT_MAX else _shortened(text)
    text = _STRIPE_KEY.sub(_masked_key, text)
    text = _WEBHOOK_SECRET.sub("whsec_…", text)
    text = _USERINFO.sub(f"{REDACTED}@", text)
    text = _BEARER.sub(rf"\1\2{REDACTED}", text)
    return _ASSIGNMENT.sub(_masked_assignment, text)


def mask(value: str) -> str:
    """A secret as the settings' overview shows it: its kind and, where it is long enough, its last four characters."""
    scrubbed = scrub(value)
    return scrubbed if scrubbed != value else REDACTED


def _redact_within(values: Mapping[Any, object] | Iterable[object], *, depth: int) -> object:
    if isinstance(values, Mapping):
        fields = islice(values.items(), ITEMS_MAX)
        return {str(name): redact_field(str(name), value, depth=depth) for name, value in fields}
    return [redact(value, depth=depth) for value in islice(values, ITEMS_MAX)]


def on_one_line(text: str) -> str:
    """`text` in which no character breaks the line or moves the cursor: what comes from outside cannot pose as ours."""
    return _CONTROL.sub(_spelled_out, text)


def on_own_lines(text: str) -> str:
    """As `on_one_line`, but line breaks stay: for tracebacks."""
    return _CONTROL_BUT_NEWLINE.sub(_spelled_out, text)


def _spelled_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _shortened(text: str) -> str:
    """Both ends, cut at white space: half a secret at the cut would have lost what it is recognised by."""
    head = text[: TEXT_MAX // 2]
    tail = text[-TEXT_MAX // 2 :]
    return f"{head[: max(head.rfind(' '), head.rfind(chr(10)), 0)]} … {tail.partition(chr(10))[2]}"


def _masked_key(found: re.Match[str]) -> str:
    tail = found[2][-TAIL_CHARS:] if len(found[2]) >= TAIL_FROM_CHARS else ""
    return f"{found[1]}…{tail}"


def _masked_assignment(found: re.Match[str]) -> str:
    return found[0] if _MASKED.fullmatch(found["value"].rstrip("'\"")) else f"{found['name']}{REDACTED}"

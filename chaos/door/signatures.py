"""Signature headers that come to a door: the genuine one, and all that look like it."""

import hmac
from collections.abc import Callable
from random import Random

SECRET, STRANGE_SECRET, ENDED_SECRET = b"whsec_door", b"whsec_of_somebody", b"whsec_that_was"
SECRETS = f"{SECRET.decode()},{ENDED_SECRET.decode()}@2020-01-01T00:00:00Z"

Forge = Callable[[Random, bytes, int], str]


def genuine(body: bytes, now: int, *, secret: bytes = SECRET) -> str:
    return f"t={now},v1={hmac.digest(secret, b'%d.' % now + body, 'sha256').hex()}"


def forged(chance: Random, body: bytes, now: int) -> str | None:
    """Any header that must not be believed; None: no header."""
    forge = chance.choice(FORGERIES)
    return None if forge is None else forge(chance, body, now)


def _strange(_: Random, body: bytes, now: int) -> str:
    return genuine(body, now, secret=STRANGE_SECRET)


def _ended(_: Random, body: bytes, now: int) -> str:
    return genuine(body, now, secret=ENDED_SECRET)


def _stale(chance: Random, body: bytes, now: int) -> str:
    return genuine(body, now + chance.choice([-310, -86_400, -now, 310, 86_400, 10**9]))


def _of_another_body(_: Random, body: bytes, now: int) -> str:
    return genuine(body + b" ", now)


def _of_another_scheme(_: Random, body: bytes, now: int) -> str:
    return genuine(body, now).replace("v1=", "v0=")


def _two_times(_: Random, body: bytes, now: int) -> str:
    return f"t={now},{genuine(body, now)}"


def _many(chance: Random, body: bytes, now: int) -> str:
    return genuine(body, now) + ",v1=00" * chance.choice([10, 1_000, 10_000])


def _cut(chance: Random, body: bytes, now: int) -> str:
    header = genuine(body, now)
    return header[: chance.randrange(len(header))]


def _foreign_letters(chance: Random, body: bytes, now: int) -> str:
    return genuine(body, now).replace("=", chance.choice(["=é", "=\xff", "=\x00", "= ", "=٣"]), 1)


def _noise(chance: Random, _body: bytes, _now: int) -> str:
    return chance.randbytes(chance.choice([0, 5, 300])).decode("latin-1")


FORGERIES: tuple[Forge | None, ...] = (
    None,
    _strange,
    _ended,
    _stale,
    _of_another_body,
    _of_another_scheme,
    _two_times,
    _many,
    _cut,
    _foreign_letters,
    _noise,
)

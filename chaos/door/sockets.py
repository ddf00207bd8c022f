"""Bytes as anybody may write them to the deployed door's socket, and the statuses that come back."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from socket import SHUT_WR, create_connection, socket

from chaos.door.bodies import LIMIT, any_body
from chaos.door.junk import CHUNKS, CODINGS, HEADERS, LENGTHS, LINES
from chaos.door.signatures import forged, genuine

ANSWER_TIMEOUT_S = 60  # a half request is hung up on after three; this is for a machine that is busy
ANSWER_BYTES_MAX = 100_000
SLOW = 4  # one of each of the door's threads
AT_ONCE = 4
HEAD = b"POST /stripe/webhook HTTP/1.1\r\nHost: door\r\nConnection: close\r\n"
_STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What is written, in these pieces. `is_elsewhere`: it may name another path than the door's."""

    pieces: tuple[bytes, ...]
    is_elsewhere: bool = False
    is_signed: bool = False


def wire(chance: Random) -> Wire:
    return chance.choice(KINDS)(chance)


def statuses(port: int, wires: list[Wire]) -> list[tuple[Wire, list[int]]]:
    """What each was answered: mostly one status, none where it was hung up on."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda one: (one, _answered(port, one)), wires))


def drip(port: int) -> list[bytes]:
    """A request on each of the door's threads that comes drop by drop: what each was answered before it ended."""
    with ThreadPoolExecutor(SLOW) as pool:
        return list(pool.map(lambda _: _dripped(port), range(SLOW)))


def _answered(port: int, told: Wire) -> list[int]:
    with create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S) as connection:
        with suppress(ConnectionError):  # it may refuse before it has heard all
            for piece in told.pieces:
                connection.sendall(piece)
            connection.shutdown(SHUT_WR)
        return _read(connection)


def _dripped(port: int) -> bytes:
    until = time.monotonic() + ANSWER_TIMEOUT_S
    with create_connection(("127.0.0.1", port), timeout=0.1) as connection, suppress(ConnectionError):
        connection.sendall(HEAD)
        while time.monotonic() < until:
            connection.sendall(b"X")
            with suppress(TimeoutError):
                return connection.recv(ANSWER_BYTES_MAX)
        raise TimeoutError("a request that drips was not hung up on")
    return b""


def _read(connection: socket) -> list[int]:
    answer = b""
    with suppress(ConnectionError):
        while (piece := connection.recv(65_536)) and len(answer) < ANSWER_BYTES_MAX:
            answer += piece
    return [status for found in _STATUS.findall(answer) if (status := int(found)) != 100]


def _whole(chance: Random) -> Wire:
    """Good HTTP."""
    body = any_body(chance)
    is_signed = chance.random() < 0.2
    signature = genuine(body, int(time.time())) if is_signed else forged(chance, body, int(time.time()))
    head = HEAD + (b"" if signature is None else b"Stripe-Signature: " + signature.encode() + b"\r\n")
    if chance.random() < 0.5:
        chunks = [body[at : at + 1_000] for at in range(0, len(body), 1_000)] if len(body) < LIMIT else [body]
        told = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk) + b"0\r\n\r\n"
        return Wire(pieces=(head + b"Transfer-Encoding: chunked\r\n\r\n", told), is_signed=is_signed)
    return Wire(pieces=(head + b"Content-Length: %d\r\n\r\n" % len(body), body), is_signed=is_signed)


def _half(chance: Random) -> Wire:
    whole = _whole(chance)
    written = b"".join(whole.pieces)
    return Wire(pieces=(written[: chance.randrange(len(written))],), is_signed=whole.is_signed)


def _wrong_length(chance: Random) -> Wire:
    return Wire(pieces=(HEAD + b"Content-Length: " + chance.choice(LENGTHS) + b"\r\n\r\n", b"abcde"))


def _both_lengths(chance: Random) -> Wire:
    coding = b"Transfer-Encoding: " + chance.choice(CODINGS) + b"\r\n"
    return Wire(pieces=(HEAD + b"Content-Length: 5\r\n" + coding + b"\r\n", b"5\r\nabcde\r\n0\r\n\r\n"))


def _wrong_coding(chance: Random) -> Wire:
    coding = b"Transfer-Encoding: " + chance.choice(CODINGS) + b"\r\n\r\n"
    return Wire(pieces=(HEAD + coding, chance.choice(CHUNKS)))


def _junk(chance: Random) -> Wire:
    junk = b"".join(chance.sample(HEADERS, chance.randint(1, 3)))
    return Wire(pieces=(HEAD + junk + b"Content-Length: 5\r\n\r\n", b"abcde"))


def _no_request(chance: Random) -> Wire:
    return Wire(pieces=(chance.choice([*LINES, chance.randbytes(500)]),), is_elsewhere=True)


KINDS: tuple[Callable[[Random], Wire], ...] = (
    _whole,
    _whole,
    _half,
    _wrong_length,
    _both_lengths,
    _wrong_coding,
    _junk,
    _no_request,
)

"""Idempotency-Keys: the first answer is kept and replayed until the key is too old.

v1 keeps every answer of a call whose execution began, 500s included, for a day. v2 keeps successes alone, for 30 days:
what failed is executed again. A key in flight is a 409, a key with other parameters a 400. What was refused before
execution began, by the limiter, by authentication or by validation, is not kept: the same key may come again.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from sandbox.errors import ApiError
from sandbox.http.answer import Answer, Api

KEY_LENGTH_MAX = 255
KEYS_MAX = 1_000_000
"""Of one account and API: at some 600 bytes each. Beyond it the oldest are forgotten before their time."""
FAILURE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A call under a key."""

    key: str
    api: Api
    fingerprint: int
    begun_at: int
    window_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    fingerprint: int
    begun_at: int
    answer: Answer | None
    """None while the first call is still executing."""


class IdempotencyKeys:
    def __init__(self) -> None:
        self._kept: dict[Api, OrderedDict[str, Kept]] = {"v1": OrderedDict(), "v2": OrderedDict()}

    def __len__(self) -> int:
        return sum(len(kept) for kept in self._kept.values())

    def begin(self, call: Keyed) -> Answer | None:
        """The kept answer, or None when this call is the first and may execute; ApiError when it may not."""
        _check(call.key)
        kept = self._kept[call.api].get(call.key)
        if kept is None or call.begun_at - kept.begun_at >= call.window_s:
            self._open(call)
            return None
        if kept.fingerprint != call.fingerprint:
            raise _other_parameters(call.key)
        if kept.answer is None:
            raise _in_flight(call.key)
        return kept.answer.replayed()

    def close(self, call: Keyed, answer: Answer) -> None:
        """Keeps the answer, from when the call began; a failure of v2, or what never began, frees the key."""
        if not answer.is_kept or (call.api == "v2" and answer.status >= FAILURE):
            self.release(call)
        elif kept := self._kept[call.api].get(call.key):
            self._kept[call.api][call.key] = replace(kept, answer=answer)

    def release(self, call: Keyed) -> None:
        self._kept[call.api].pop(call.key, None)

    def _open(self, call: Keyed) -> None:
        """Forgets what is past the window, oldest first, so that memory stays bounded by it."""
        kept = self._kept[call.api]
        kept.pop(call.key, None)
        kept[call.key] = Kept(fingerprint=call.fingerprint, begun_at=call.begun_at, answer=None)
        while len(kept) > KEYS_MAX or call.begun_at - next(iter(kept.values())).begun_at >= call.window_s:
            kept.popitem(last=False)
            if not kept:
                return


def _check(key: str) -> None:
    if len(key) > KEY_LENGTH_MAX:
        raise ApiError(400, f"Idempotency keys may be at most {KEY_LENGTH_MAX} characters.", began=False)
    if not key.isascii():
        raise ApiError(400, "Idempotency keys must consist of ASCII characters.", began=False)


def _other_parameters(key: str) -> ApiError:
    return ApiError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using "
        f"a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
        began=False,
    )


def _in_flight(key: str) -> ApiError:
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        began=False,
    )

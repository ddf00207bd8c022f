"""v1 Idempotency-Keys: the first answer is kept and replayed, 500s included, until the key is a day old.

A key in flight is a 409, a key with other parameters a 400. What was refused before execution began, by the limiter,
by authentication or by validation, is not kept: the same key may come again.
"""

from dataclasses import dataclass

from sandbox.answer import Answer
from sandbox.errors import ApiError
from sandbox.memory import Memory

KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    fingerprint: int
    answer: Answer | None
    """None while the first call is still executing."""


class IdempotencyKeys:
    def __init__(self) -> None:
        self._kept: Memory[Kept] = Memory()

    def begin(self, key: str, *, fingerprint: int, now: int, window_s: int) -> Answer | None:
        """The kept answer, or None when this call is the first and may execute; ApiError when it may not."""
        if len(key) > KEY_LENGTH_MAX:
            raise _too_long()
        kept = self._kept.recall(key, now=now, window_s=window_s)
        if kept is None:
            self._kept.keep(key, Kept(fingerprint=fingerprint, answer=None), now=now, window_s=window_s)
            return None
        if kept.fingerprint != fingerprint:
            raise _other_parameters(key)
        if kept.answer is None:
            raise _in_flight(key)
        return kept.answer.replayed()

    def close(self, key: str, answer: Answer, *, fingerprint: int, now: int, window_s: int) -> None:
        if answer.is_kept:
            self._kept.keep(key, Kept(fingerprint=fingerprint, answer=answer), now=now, window_s=window_s)
        else:
            self.release(key)

    def release(self, key: str) -> None:
        self._kept.forget(key)


def _too_long() -> ApiError:
    return ApiError(400, f"Idempotency keys may be at most {KEY_LENGTH_MAX} characters.", began=False)


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

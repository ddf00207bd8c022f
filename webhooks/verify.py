"""Is a webhook Stripe's? Decided on bytes alone, before anything is parsed.

Stripe's own verifier raises four kinds of exception on hostile input and believes timestamps of the future; this check
is total, looks both ways and takes no longer for one stranger than for another. Time is an argument, and each secret's
end is asked of it anew.
Source: docs.stripe.com/webhooks/signature.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.webhook_secrets import WebhookSecret

TOLERANCE_S = 300  # either way; Stripe's own libraries allow as much to the past
SIGNATURES_MAX = 10  # one an active secret; Stripe rolls between two
TIMESTAMP_DIGITS_MAX = 12  # seconds until the year 33,000
HEADER_CHARS_MAX = 2_048  # ten signatures and their names need 700


class Refusal(StrEnum):
    """Why a webhook is not believed. For us alone: the sender is told nothing."""

    MISSING = "missing"
    MALFORMED = "malformed"
    FORGED = "forged"
    # These were signed with a secret of ours: a clock is off, a rolling unfinished, or somebody repeats what he heard.
    STALE = "stale"
    FUTURE = "future"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Verified:
    """`verified_by` is the fingerprint of the secret that signed, so that a rotation can be seen to end."""

    verified_by: str


@dataclass(frozen=True, slots=True)
class _Signed:
    timestamp: bytes
    signatures: list[bytes]


def verify(header: str | None, body: bytes, *, secrets: Sequence[WebhookSecret], now: float) -> Verified | Refusal:
    """Check a `Stripe-Signature` header against the body as it came; `now` in seconds since 1970. Never raises."""
    if header is None:
        return Refusal.MISSING
    signed = _parse(header)
    if signed is None:
        return Refusal.MALFORMED
    signers = _signers(signed, body, secrets)
    if not signers:
        return Refusal.FORGED
    age_s = now - int(signed.timestamp)
    if abs(age_s) > TOLERANCE_S:
        return Refusal.STALE if age_s > 0 else Refusal.FUTURE
    in_force = [secret.fingerprint for secret in signers if secret.is_in_force(now)]
    return Verified(in_force[0]) if in_force else Refusal.ENDED


def _parse(header: str) -> _Signed | None:
    if len(header) > HEADER_CHARS_MAX or not header.isascii():
        return None
    pairs = [pair.partition(b"=") for pair in header.encode().split(b",")]
    timestamps = [value for name, _, value in pairs if name == b"t"]
    signatures = [value for name, _, value in pairs if name == b"v1"]
    if len(timestamps) != 1 or not 0 < len(signatures) <= SIGNATURES_MAX:
        return None
    is_time = timestamps[0].isdigit() and len(timestamps[0]) <= TIMESTAMP_DIGITS_MAX  # on bytes: ASCII digits alone
    return _Signed(timestamps[0], signatures) if is_time else None


def _signers(signed: _Signed, body: bytes, secrets: Sequence[WebhookSecret]) -> list[WebhookSecret]:
    message = signed.timestamp + b"." + body
    digests = [hmac.digest(secret.value, message, "sha256").hex().encode() for secret in secrets]
    # Every pair is compared: how long it takes must not tell which secret came near.
    return [
        secret
        for secret, digest in zip(secrets, digests, strict=True)
        if any([hmac.compare_digest(digest, signature) for signature in signed.signatures])  # noqa: C419 - no early exit
    ]

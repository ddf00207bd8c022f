"""Signing secrets of a destination, and the header that proves a delivery with them.

While a secret is being rolled both the old and the new one sign, so that a receiver may change over at any moment of
that time. Test mode adds a v0 signature that is wrong on purpose, as Stripe does: who accepts other
schemes is found out.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sandbox.ids import Ids

ROLLING_MAX_S = 86_400
"""Stripe lets the old secret of a rolled pair live for a day at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The secrets of one destination."""

    secret: str
    number: int = 1
    previous: str | None = None
    previous_until: int = 0

    def rolled(self, ids: Ids, destination_id: str, *, previous_until: int) -> "Signing":
        """With a new secret; the one before signs along until then."""
        number = self.number + 1
        return Signing(
            secret=_secret(ids, destination_id, number=number),
            number=number,
            previous=self.secret,
            previous_until=previous_until,
        )

    def secrets_at(self, now: int) -> list[str]:
        """Those that sign now, the current one first."""
        return [self.secret, self.previous] if self.previous and now < self.previous_until else [self.secret]


def first_signing(ids: Ids, destination_id: str) -> Signing:
    return Signing(secret=_secret(ids, destination_id, number=1))


def signature(secrets: Sequence[str], body: bytes, *, stamp: int, livemode: bool) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `{stamp}.{body}`, a v1 for each secret."""
    signed = f"{stamp}.".encode() + body
    schemes = [f"v1={_digest(secret, signed)}" for secret in secrets]
    decoy = [] if livemode else [f"v0={_digest('v0', signed)}"]
    return ",".join([f"t={stamp}", *schemes, *decoy])


def _digest(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, sha256).hexdigest()


def _secret(ids: Ids, destination_id: str, *, number: int) -> str:
    return f"whsec_{ids.letters('secret', destination_id, str(number))}"

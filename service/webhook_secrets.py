"""The secrets that Stripe signs webhooks with: which they are, and until when each is good.

While a secret is rolled at Stripe, events come signed with the old one or the new one, so both stand in
STRIPE_WEBHOOK_SECRETS; the old one with its end, after which it verifies nothing, though nobody restarts the door. A
secret is spoken of by its fingerprint, which tells two apart and shows neither.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

PREFIX = "whsec_"
FINGERPRINT_CHARS = 8  # of the hexadecimal SHA-256
WANTED = (
    "each secret is whsec_…, or whsec_…@2026-12-01T00:00:00Z with the instant at which it ends and its time zone;"
    " separate several by commas"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    """One signing secret. `ends_at` is the instant from which on it verifies nothing; None: it does not end."""

    value: bytes = field(repr=False)
    fingerprint: str
    ends_at: datetime | None = None

    def is_in_force(self, now_s: float) -> bool:
        """At `now_s`, in seconds since 1970."""
        return self.ends_at is None or now_s < self.ends_at.timestamp()


def parse_secret(text: str) -> WebhookSecret:
    """`whsec_…` or `whsec_…@INSTANT`. Raises ValueError, which says what is wanted, and nothing of the secret."""
    value, at, told = text.strip().partition("@")
    if not value.startswith(PREFIX) or value == PREFIX or not value.isascii():
        raise ValueError(WANTED)
    return WebhookSecret(
        value=value.encode(),
        fingerprint=sha256(value.encode()).hexdigest()[:FINGERPRINT_CHARS],
        ends_at=_instant(told) if at else None,
    )


def parse_secrets(texts: list[str]) -> tuple[WebhookSecret, ...]:
    """All of them, none twice: of two ends of one secret nobody could say which holds. Raises ValueError."""
    secrets = tuple(map(parse_secret, texts))
    if len({secret.value for secret in secrets}) < len(secrets):
        raise ValueError("a secret stands twice; leave one of the two out")
    return secrets


def _instant(told: str) -> datetime:
    try:
        instant = datetime.fromisoformat(told)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"a secret's end is no instant with a time zone; {WANTED}")

"""Stripe's rate limits, as token buckets of one second on real time.

Live: 1,000 meter events a second on their own; everything else 100 a second together and 25 for each endpoint. In
Stripe's sandboxes everything shares 25. The reason goes into `Stripe-Rate-Limited-Reason`.
"""

from dataclasses import dataclass, field

METER_EVENTS_PER_S = 1_000
LIVE_PER_S = 100
ENDPOINT_PER_S = 25
SANDBOX_PER_S = 25
METER_EVENTS = "POST /v1/billing/meter_events"
SEPARATE = frozenset({METER_EVENTS, "POST /v2/billing/meter_events"})
"""What has a limit of its own: single meter events of either API."""
MODES = ("live", "sandbox", "off")


@dataclass(slots=True, kw_only=True)
class Bucket:
    per_s: int
    tokens: float
    filled_at: float

    def takes(self, instant: float) -> bool:
        self.tokens = min(self.per_s, self.tokens + (instant - self.filled_at) * self.per_s)
        self.filled_at = instant
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True, kw_only=True)
class Limiter:
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def refusal(self, mode: str, *, endpoint: str, instant: float) -> str | None:
        """Why this call is one too many, in the words of Stripe's header; None when it may pass."""
        for name, per_s, reason in _limits(mode, endpoint):
            bucket = self._buckets.setdefault(name, Bucket(per_s=per_s, tokens=per_s, filled_at=instant))
            if not bucket.takes(instant):
                return reason
        return None


def _limits(mode: str, endpoint: str) -> tuple[tuple[str, int, str], ...]:
    if mode == "live" and endpoint in SEPARATE:
        return (("live meter events", METER_EVENTS_PER_S, "endpoint-rate"),)
    if mode == "live":
        return ((f"live {endpoint}", ENDPOINT_PER_S, "endpoint-rate"), ("live", LIVE_PER_S, "global-rate"))
    if mode == "sandbox":
        return (("sandbox", SANDBOX_PER_S, "global-rate"),)
    return ()

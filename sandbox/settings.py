"""The switches of the sandbox: whatever Stripe leaves undocumented, and the windows that tests shorten.

Each account has its own copy, so that one test's switch is not another's surprise. The defaults are what the facts
make most likely.
"""

from dataclasses import dataclass, fields, replace

from sandbox.limits import MODES
from sandbox.wire import JsonObject

DAY_S = 86_400
CHOICES = {
    "rate_limit_error_type": ("invalid_request_error", "rate_limit_error"),
    "lane_conflict": ("conflict", "lock_timeout"), "limits": MODES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    limits: str = "off"
    """Rate limits to keep: live, sandbox or off."""
    identifier_window_s: int = DAY_S
    """How long an identifier stays taken. Stripe: "at least 24 hours"."""
    idempotency_window_s: int = DAY_S
    idempotency_v2_window_s: int = 30 * DAY_S
    """How long a key of v2 is kept. Stripe: 30 days."""
    rate_limit_error_type: str = "invalid_request_error"
    """Undocumented: the `type` of v1's 429; in v2 it is `rate_limit`."""
    rate_limit_retry_after_s: int = 0
    """Undocumented: what a 429 says in Retry-After; 0 sends no such header."""
    bad_gateway_keeps_the_answer: bool = False
    """Undocumented: whether the answer behind a proxy's 502 is kept under its Idempotency-Key."""
    other_versions_are_answered: bool = False
    """Whether a call of another Stripe-Version is answered, in the shapes of the one version that is spoken."""
    summary_lag_s: int = 0
    """How long a counted meter event stays invisible in summaries and previews."""
    summaries_show_empty_windows: bool = True
    """Undocumented: whether an hour without usage is a summary of 0 or no summary."""
    exponents_are_refused: bool = True
    """Undocumented: whether a value may be written 1e3."""
    lane_conflict: str = "conflict"
    """Undocumented: a second call for the same customer and meter gets 409 (`conflict`) or 429 (`lock_timeout`)."""
    trial_usage_is_billed: bool = False
    """Undocumented: whether usage of a trial costs something; Stripe's line template says "Free trial"."""
    webhook_backoff_s: float = 1.0
    """Seconds before the first repeat of a failed delivery; doubles each time."""
    webhook_attempts_max: int = 8
    webhook_timeout_s: float = 10.0

    def changed(self, wanted: JsonObject) -> "Settings":
        """A copy with these values; ValueError for a name that is no switch or a value of another type."""
        for name, value in wanted.items():
            self._check(name, value)
        return replace(self, **wanted)

    def _check(self, name: str, value: object) -> None:
        if name not in {switch.name for switch in fields(self)}:
            raise ValueError(f"no such setting: {name}")
        before = getattr(self, name)
        accepted = (int, float) if isinstance(before, float) else type(before)
        if isinstance(value, bool) != isinstance(before, bool) or not isinstance(value, accepted):
            raise ValueError(f"{name} must be of type {type(before).__name__}")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}")

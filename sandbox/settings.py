"""The switches of the sandbox: whatever Stripe leaves undocumented, and the windows that tests shorten.

Each account has its own copy, so that one test's switch is not another's surprise. The defaults are what the facts
make most likely.
"""

import re
from dataclasses import dataclass, fields, replace

from sandbox.billing.rating import ROUNDINGS
from sandbox.calls.limits import MODES
from sandbox.wire import JsonObject

DAY_S = 86_400
WHEN = ("at_once", "later")
CHOICES: dict[str, tuple[object, ...]] = {
    "rate_limit_error_type": ("invalid_request_error", "rate_limit_error"),
    "lane_conflict": ("conflict", "lock_timeout"),
    "identifier_scope": ("account", "event_name", "customer"),
    "meter_validation": WHEN,
    "customer_validation": WHEN,
    "value_validation": WHEN,
    "time_validation": WHEN,
    "report_request_names": ("identifier", "idempotency_key", "id_and_key"),
    "adjustment_validation": ("at_once", "silently"),
    "backdated_usage_is_billed": ("by_period", "until_now"),
    "limits": MODES,
    "webhook_schedule": ("by_mode", "live", "sandbox"),
    "absent_related_object": ("empty", "null"),
    "payments": ("succeed", "fail", "by_method"),
    "payment_method_attached_again": ("answered", "refused"),
    "repeating_coupon_covers": ("invoices", "service"),
    "amounts_round": ROUNDINGS,
    "tier_lines": ("several", "one"),
    "taxes_round": ("by_line", "by_invoice"),
    "invoice_now_reason": ("subscription_update", "subscription_cycle", "manual"),
    "missing_reference_status": (400, 404),
}
PERCENTAGES = {"automatic_tax_percentage"}
PERCENTAGE = re.compile(r"[0-9]{1,2}(\.[0-9]{1,4})?|100")
LIMITS: dict[str, tuple[float, float]] = {
    "webhook_backoff_s": (0, 30 * DAY_S),
    "webhook_attempts_max": (1, 1_000),
    "webhook_timeout_s": (0.01, 600),
    "webhook_stamp_offset_s": (-3_650 * DAY_S, 3_650 * DAY_S),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    limits: str = "off"
    """Rate limits to keep: live, sandbox or off."""
    identifier_window_s: int = DAY_S
    """How long an identifier stays taken. Stripe: "at least 24 hours"."""
    identifier_scope: str = "account"
    """Undocumented: whether an identifier is taken in the whole account, for its event name or for its customer."""
    refused_identifier_is_taken: bool = False
    """Undocumented: whether the identifier of a meter event that was refused at once cannot be used again."""
    rejected_identifier_is_taken: bool = True
    """Undocumented: whether the identifier of one that was accepted and rejected later cannot be used again."""
    cancelled_identifier_is_taken: bool = True
    """Undocumented: whether the identifier of a cancelled meter event cannot be used again."""
    idempotency_window_s: int = DAY_S
    """How long a key of v1 is kept. Stripe: "at least 24 hours old"."""
    idempotency_v2_window_s: int = 30 * DAY_S
    """How long a key of v2 is kept. Stripe: 30 days."""
    rate_limit_error_type: str = "invalid_request_error"
    """Undocumented: the `type` of v1's 429; in v2 it is `rate_limit`."""
    rate_limit_retry_after_s: int = 0
    """Undocumented: what a 429 says in Retry-After; 0 sends no such header."""
    kept_errors_say_not_to_retry: bool = True
    """Undocumented but in Stripe's library: whether a 500 that its key would replay has Stripe-Should-Retry false."""
    bad_gateway_keeps_the_answer: bool = False
    """Undocumented: whether the answer behind a proxy's 502 is kept under its Idempotency-Key."""
    other_versions_are_answered: bool = False
    """Whether a call of another Stripe-Version is answered, in the shapes of the one version that is spoken."""
    meter_validation: str = "at_once"
    """Undocumented for v1: whether an unknown or inactive meter is refused `at_once` or reported `later`."""
    customer_validation: str = "at_once"
    """Undocumented for v1: the same of a missing or unknown customer."""
    value_validation: str = "at_once"
    """The same of a missing or wrong value."""
    time_validation: str = "at_once"
    """The same of a timestamp outside of the 35 days and 5 minutes."""
    validation_window_s: int = 10
    """How many seconds of rejected meter events an error report tells of; Stripe's examples show ten."""
    report_samples_max: int = 3
    """Undocumented: how many errors of a code an error report names."""
    report_request_names: str = "identifier"
    """Undocumented: what a sample names: the event's identifier, the Idempotency-Key, or an empty id and the key."""
    dimensions_are_limited: bool = True
    """Whether too many combinations of further payload keys are rejected later, as Stripe's users quote it."""
    dimensions_per_meter_hour_max: int = 10_000
    """How many combinations a meter may see in an hour of receipt."""
    dimensions_per_customer_max: int = 100
    """How many combinations a customer may have at a meter."""
    payload_keys_max: int = 0
    """Undocumented: how many keys a meter event's payload may have; 0 sets no limit."""
    adjustment_delay_s: int = 10
    """How long a cancellation is pending; with 0 it is complete at once."""
    adjustment_validation: str = "at_once"
    """Undocumented: whether cancelling what cannot be cancelled is refused `at_once`, or accepted without effect."""
    inactive_event_name_is_free: bool = True
    """Undocumented: whether a new meter may have the event name of one that was deactivated."""
    summary_lag_s: int = 0
    """How long a counted meter event, or its cancellation, stays unseen by summaries and previews."""
    summaries_show_empty_windows: bool = True
    """Undocumented: whether an hour without usage is a summary of 0 or no summary."""
    summary_end_is_inclusive: bool = False
    """Contradictory: Stripe calls a summary's end exclusive, and inclusive where it explains the value."""
    exponents_are_refused: bool = True
    """Undocumented: whether a value may be written 1e3."""
    lane_conflict: str = "conflict"
    """Undocumented: a second call for the same customer and meter gets 409 (`conflict`) or 429 (`lock_timeout`)."""
    backdated_usage_is_billed: str = "by_period"
    """Undocumented of flexible billing: whether a first invoice takes backdated usage of whole periods, or all."""
    usage_is_billed_at_cancel_at: bool = True
    """Undocumented: whether a `cancel_at` within a period bills the usage until then, as a period's end does."""
    invoice_now_reason: str = "subscription_update"
    """Undocumented: the `billing_reason` of the last invoice of a cancellation with `invoice_now`."""
    duplicate_prices_are_refused: bool = True
    """Undocumented of flexible billing: whether a subscription may have two items of one price."""
    invoice_upcoming_days: int = 0
    """How long before a period's end `invoice.upcoming` is told: a choice of the account at Stripe; 0 tells nothing."""
    trial_usage_is_billed: bool = False
    """Undocumented: whether usage of a trial costs something; Stripe's line template says "Free trial"."""
    finalization_grace_s: int = 3_600
    """How long a period's draft with metered lines waits for late usage; Stripe's own setting goes to 72 hours."""
    finalization_waits_for_aggregation: bool = True
    """Undocumented: whether finalization counts all that was received, or only what summaries show by then."""
    payments: str = "succeed"
    """Attempts to collect `succeed` unless the card is one that declines, `fail`, or go `by_method`: none, no money."""
    payment_method_attached_again: str = "answered"
    """Undocumented: whether attaching a payment method to its own customer again is `answered` or `refused`."""
    repeating_coupon_covers: str = "invoices"
    """Whether a coupon of some months takes off `invoices` made in them, or what was in `service` in them."""
    subscription_list_lag_s: int = 0
    """How long a new subscription stays unseen by lists; by its id it is seen at once."""
    amounts_round: str = "half_up"
    """Undocumented: how a line's amount becomes a whole number of the currency's smallest unit."""
    tier_lines: str = "several"
    """Undocumented: whether a graduated price makes a line for each tier reached, or `one` for all of them."""
    taxes_round: str = "by_line"
    """Whether taxes are rounded on each line or on the sum: a choice of the account at Stripe."""
    automatic_tax_percentage: str = "0"
    """What automatic tax comes to wherever the customer is; with 0 it collects none."""
    automatic_tax_is_set_up: bool = True
    """Whether the account has told Stripe Tax where it is at home; else automatic tax is refused."""
    duplicate_tax_ids_are_refused: bool = True
    """Undocumented: whether a customer, or the account, cannot have the same tax id twice."""
    webhook_schedule: str = "by_mode"
    """Failed deliveries repeat as Stripe does `live` (three days) or in a `sandbox` (three times), or `by_mode`."""
    missing_reference_status: int = 400
    """Undocumented: the status of `resource_missing` where a parameter, not the path, names what is missing."""
    webhook_backoff_s: float = 1.0
    """Seconds before the first repeat of a failed delivery; live each pause is twice, else 100 times the one before."""
    webhook_attempts_max: int = 100
    """No delivery is attempted more often, whatever its schedule says."""
    webhook_timeout_s: float = 20.0
    """Undocumented: how long a receiver may take to answer."""
    webhook_stamp_offset_s: int = 0
    """Shifts the stamp of signatures against the wall clock, for receivers that refuse old ones."""
    live_webhooks_need_https: bool = True
    """Stripe refuses http in live mode; false lets a receiver on this machine do without TLS."""
    absent_related_object: str = "empty"
    """Undocumented: whether a thin event about no object has `related_object` {} (`empty`) or `null`."""

    def changed(self, wanted: JsonObject) -> "Settings":
        """A copy with these values; ValueError for a name that is no switch or a value of another type."""
        wanted = {name: _spelled(name, value) for name, value in wanted.items()}
        for name, value in wanted.items():
            self._check(name, value)
        return replace(self, **wanted)

    def _check(self, name: str, value: object) -> None:
        if name not in {switch.name for switch in fields(self)}:
            raise ValueError(f"{name} is no switch; `meterpost-sandbox settings show` lists them")
        before = getattr(self, name)
        accepted = (int, float) if isinstance(before, float) else type(before)
        if isinstance(value, bool) != isinstance(before, bool) or not isinstance(value, accepted):
            raise ValueError(f"{name} must be of type {type(before).__name__}")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"{name} must be one of {', '.join(map(str, CHOICES[name]))}")
        if name in PERCENTAGES and not PERCENTAGE.fullmatch(str(value)):
            raise ValueError(f"{name} must be a percentage with at most 4 decimal places, as a text")
        if name in LIMITS and isinstance(value, int | float) and not LIMITS[name][0] <= value <= LIMITS[name][1]:
            raise ValueError(f"{name} must lie within {LIMITS[name][0]} and {LIMITS[name][1]}")


def _spelled(name: str, value: object) -> object:
    """A percentage as its digits: whoever sets it may write a number, which is kept as it was written."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if name in PERCENTAGES and is_number else value

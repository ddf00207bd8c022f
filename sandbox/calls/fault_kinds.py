"""What can go wrong on demand: every kind of fault, with a sentence about what its caller meets."""

from typing import NamedTuple


class FaultKind(NamedTuple):
    says: str
    fields: tuple[str, ...] = ()
    """What such a fault may be given besides whom it strikes and how often."""


KINDS = {
    "rate_limited": FaultKind(
        "429 of the limiter, before anything is looked at; `reason` becomes Stripe-Rate-Limited-Reason.", ("reason",)
    ),
    "unauthorized": FaultKind("401, as if the key were wrong."),
    "lock_timeout": FaultKind("429 `lock_timeout` that asks to be tried again; nothing is applied or kept."),
    "conflict": FaultKind("409 `too_many_concurrent_requests`; nothing is applied or kept."),
    "error_before": FaultKind("500 before execution begins: nothing is applied, and the key stays free."),
    "error_kept": FaultKind("500 though nothing is applied, kept under the key and replayed."),
    "error_after": FaultKind("500 after applying, kept under the key and replayed."),
    "bad_gateway_before": FaultKind("502 of a proxy, in HTML and without a Request-Id; nothing is applied."),
    "bad_gateway_after": FaultKind("502 of a proxy after applying; the key keeps nothing."),
    "connection_reset": FaultKind("The connection is dropped before anything is applied."),
    "connection_refused": FaultKind(
        "The same, and for `for_s` seconds nobody listens on the port: not even the controls answer.", ("for_s",)
    ),
    "reply_lost": FaultKind("The connection is dropped after applying."),
    "truncated": FaultKind("Half of the answer, less than its Content-Length, and then the connection is dropped."),
    "slow_drip": FaultKind("The answer comes at `bytes_per_s`.", ("bytes_per_s",)),
    "latency": FaultKind(
        "Execution waits: `delay_s` (fixed), up to it (uniform), that on average (exponential) or with that median and "
        "`sigma` (lognormal); never longer than `delay_max_s`.",
        ("delay_s", "distribution", "sigma", "delay_max_s"),
    ),
    "rejected_later": FaultKind(
        "A meter event is answered 200 and rejected later, with `code` in an error report.", ("code",)
    ),
}
REASONS = ("global-rate", "global-concurrency", "endpoint-rate", "endpoint-concurrency", "resource-specific")
DISTRIBUTIONS = ("fixed", "uniform", "exponential", "lognormal")
REJECTION_CODES = (
    "archived_meter",
    "meter_event_customer_not_found",
    "meter_event_dimension_count_too_high",
    "meter_event_invalid_value",
    "meter_event_no_customer_defined",
    "meter_event_value_too_many_digits",
    "missing_dimension_payload_keys",
    "no_meter",
    "timestamp_in_future",
    "timestamp_too_far_in_past",
)

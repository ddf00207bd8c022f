"""DELETE /v1/subscriptions/{id}: the end at once, billing only what the caller asks to have billed."""

from dataclasses import replace

from sandbox.billing.endings import Settlement, ended_at_once
from sandbox.calls.call import Call
from sandbox.errors import no_such
from sandbox.parameters.params import Params
from sandbox.resources.subscriptions import Cancellation, answered, existing
from sandbox.wire import JsonObject

FEEDBACKS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)


def cancel(call: Call) -> JsonObject:
    subscription = existing(call, call.id)
    if subscription.ended_at is not None:
        raise no_such("subscription", call.id)
    settlement = Settlement(invoice_now=call.params.is_true("invoice_now"), prorate=call.params.is_true("prorate"))
    why = cancellation(call.params, reason="cancellation_requested")
    call.params.nothing_else()
    ended = ended_at_once(call.books, subscription, settlement)
    return answered(call, replace(ended, cancellation=why), "customer.subscription.deleted")


def cancellation(params: Params, *, reason: str | None, before: Cancellation | None = None) -> Cancellation:
    """Why it is cancelled; what the call does not say stays as it was."""
    known = before or Cancellation()
    if "cancellation_details" not in params:
        return replace(known, reason=reason)
    details = params.group("cancellation_details")
    return Cancellation(
        reason=reason,
        comment=details.text("comment") if "comment" in details else known.comment,
        feedback=details.choice("feedback", FEEDBACKS) if "feedback" in details else known.feedback,
    )

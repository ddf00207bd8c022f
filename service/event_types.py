"""The event types that change something here: the one list for the door's setting-up, the catch-up and the effects.

Stripe is asked for these types and no others, so that a busy account's other events cost nothing; whatever else comes
is recorded and answered with 200 all the same. Source: docs.stripe.com/api/events/types, /api/v2/core/events.
"""

SNAPSHOT_TYPES = (
    "billing.meter.created",
    "billing.meter.deactivated",
    "billing.meter.reactivated",
    "billing.meter.updated",
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.finalization_failed",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.sent",
    "invoice.updated",
    "invoice.voided",
    "price.created",
    "price.deleted",
    "price.updated",
)
"""With the object as it was then; a webhook endpoint has them in the API version it was made with."""

ERROR_REPORT = "v1.billing.meter.error_report_triggered"
NO_METER_FOUND = "v1.billing.meter.no_meter_found"
THIN_TYPES = (ERROR_REPORT, NO_METER_FOUND)
"""Without an object: what they say is fetched. They need a destination, and so a secret, of their own."""

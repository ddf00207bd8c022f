"""When a draft finalizes by itself: after its grace, and about an hour after the last endpoint took `invoice.created`.

While an endpoint has not, finalization waits, to 72 hours after the creation at most; an instant that the caller chose
is not put off.
"""

from sandbox.billing.invoice import Invoice
from sandbox.books import Books
from sandbox.resources.events import Event

HOUR_S = 3_600
DELAY_MAX_S = 72 * HOUR_S


def finalizes_at(books: Books, invoice: Invoice) -> int | None:
    """The instant as far as it is known now; None of what is final or waits to be told."""
    planned = invoice.finalizes_at
    if invoice.status != "draft" or planned is None:
        return None
    if invoice.finalizes_as_told or books.now < planned:
        return planned
    latest = max(planned, invoice.created + DELAY_MAX_S)
    delivered = delivered_at(books, invoice)
    if delivered is None:
        return latest
    return min(latest, max(planned, delivered + lead_s(invoice)))


def lead_s(invoice: Invoice) -> int:
    """How long after its webhook was taken it finalizes: an hour, or its grace where that is shorter."""
    planned = invoice.created if invoice.finalizes_at is None else invoice.finalizes_at
    return min(HOUR_S, planned - invoice.created)


def delivered_at(books: Books, invoice: Invoice) -> int | None:
    """When every endpoint that wants it had answered `invoice.created` with a 2xx."""
    if invoice.webhooks_delivered_at is not None or invoice.created_event is None:
        return invoice.webhooks_delivered_at
    event = books.shelf(Event).get(invoice.created_event)
    return None if event is None else event.acknowledged_at

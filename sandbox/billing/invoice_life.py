"""The life of an invoice: draft → open → paid, or void, or uncollectible; each step told by its events.

At finalization the charges are counted and rated once more, with what was received until then; from there on lines
never change, and usage that comes later is on no invoice. Every look of the agenda is safe late, twice or for nothing.
"""

from dataclasses import replace
from functools import partial

from sandbox.billing.arrears import caught_up, fell_behind
from sandbox.billing.cards import Decline
from sandbox.billing.discounts import discounted, in_force, used_up
from sandbox.billing.invoice import Invoice
from sandbox.billing.invoice_body import rendered
from sandbox.billing.invoice_deadline import HOUR_S, delivered_at, finalizes_at, lead_s
from sandbox.billing.invoice_item import InvoiceItem
from sandbox.billing.invoice_lines import Basis, charge_lines, item_lines
from sandbox.billing.invoice_pending import given_back, taken
from sandbox.billing.invoice_recipient import recipient
from sandbox.billing.invoice_tally import tally_of
from sandbox.billing.payments import decline_of
from sandbox.billing.taxes import taxed
from sandbox.books import Books
from sandbox.resources.event_summaries import seen_until
from sandbox.resources.events import Event, record
from sandbox.resources.subscriptions import Subscription, told
from sandbox.wire import JsonObject

DAY_S = 86_400
MINUTE_S = 60


def opened(books: Books, invoice: Invoice) -> Invoice:
    """Puts a draft on the shelf with its lines, tells of it, and puts its finalization on the agenda."""
    taken(books, invoice.items, invoice=invoice.id)
    due = due_date(invoice, since=books.now)
    counted = rated(books, replace(invoice, due_date=due), until=seen_until(books))
    event = _told(books, counted, "invoice.created")
    return scheduled(books, replace(counted, created_event=event.id))


def scheduled(books: Books, invoice: Invoice) -> Invoice:
    """Shelves it and looks at it again when it is to finalize."""
    if invoice.finalizes_at is not None:
        books.clock.at(invoice.finalizes_at, partial(_look, books, invoice.id))
    return _shelved(books, invoice)


def updated(books: Books, invoice: Invoice) -> Invoice:
    """Shelves what changed, and tells of it."""
    changed = scheduled(books, invoice)
    _told(books, changed, "invoice.updated")
    return changed


def recounted(books: Books, invoice: Invoice) -> Invoice:
    """A draft whose invoice items changed, with its lines as they are now."""
    return updated(books, rated(books, invoice, until=seen_until(books)))


def finalized(books: Books, invoice: Invoice) -> Invoice:
    """Final, and collected or sent where it advances by itself."""
    final = confirmed(books, invoice)
    return advanced(books, final) if final.auto_advance else final


def confirmed(books: Books, invoice: Invoice) -> Invoice:
    """Open with its final lines; paid where nothing is due."""
    final = _numbered(books, _counted_at_last(books, invoice))
    used_up(books, final)
    _told(books, _shelved(books, final), "invoice.finalized")
    if final.due_date is not None:
        books.clock.at(final.due_date, partial(_fall_due, books, final.id))
    return paid(books, final) if final.due == 0 else final


def advanced(books: Books, invoice: Invoice) -> Invoice:
    """What follows by itself: an attempt to collect it, or its way to the customer."""
    if invoice.status == "open" and invoice.collection_method == "charge_automatically":
        return collected(books, invoice)
    if invoice.status == "open":
        _told(books, invoice, "invoice.sent")
    return invoice


def advancing(books: Books, invoice: Invoice) -> Invoice:
    """An open invoice that is told to advance after all does so within the hour."""
    books.clock.at(books.now + HOUR_S, partial(_advance, books, invoice.id))
    return updated(books, invoice)


def collected(books: Books, invoice: Invoice, *, wanted: str | None = None) -> Invoice:
    """One attempt to collect it, with the wanted payment method or that of its subscription or customer."""
    tried = replace(invoice, attempts=invoice.attempts + 1)
    if decline_of_invoice(books, invoice, wanted=wanted) is None:
        return paid(books, tried)
    _told(books, _shelved(books, tried), "invoice.payment_failed")
    fell_behind(books, tried)
    _told_of_subscription(books, tried)
    return tried


def decline_of_invoice(books: Books, invoice: Invoice, *, wanted: str | None) -> Decline | None:
    subscription = books.shelf(Subscription).get(invoice.subscription or "")
    own = None if subscription is None else subscription.default_payment_method
    return decline_of(books, invoice.customer, wanted=wanted or own)


def paid(books: Books, invoice: Invoice) -> Invoice:
    settled = _shelved(books, replace(invoice, status="paid", paid_at=books.now, auto_advance=False))
    _told(books, settled, "invoice.paid")
    _told(books, settled, "invoice.payment_succeeded")
    _settle(books, settled)
    return settled


def voided(books: Books, invoice: Invoice) -> Invoice:
    """As if it had not been: the credit it took is there again."""
    tally_of(books, invoice.customer).balances[invoice.currency] += invoice.starting_balance - invoice.ending_balance
    void = _shelved(books, replace(invoice, status="void", voided_at=books.now, auto_advance=False))
    _told(books, void, "invoice.voided")
    _settle(books, void)
    return void


def given_up(books: Books, invoice: Invoice) -> Invoice:
    lost = _shelved(books, replace(invoice, status="uncollectible", uncollectible_at=books.now, auto_advance=False))
    _told(books, lost, "invoice.marked_uncollectible")
    _settle(books, lost)
    return lost


def deleted(books: Books, invoice: Invoice) -> JsonObject:
    del books.shelf(Invoice)[invoice.id]
    given_back(books, invoice.items)
    _told(books, invoice, "invoice.deleted")
    return {"id": invoice.id, "object": "invoice", "deleted": True}


def rated(books: Books, invoice: Invoice, *, until: int) -> Invoice:
    """The same with the lines that its charges and items make, of the usage received until an instant."""
    items = [books.shelf(InvoiceItem)[identity] for identity in invoice.items]
    lines = item_lines(books, items, invoice=invoice.id)
    if invoice.parent is not None:
        basis = Basis(books=books, invoice=invoice.id, parent=invoice.parent, until=until)
        lines = charge_lines(basis, invoice.charges) + lines
    discounts = in_force(books, invoice.discounts, at=invoice.created, invoice=invoice.id)
    lines = taxed(books, invoice, discounted(books, lines, discounts))
    credit = tally_of(books, invoice.customer).balances[invoice.currency]
    return replace(invoice, lines=lines, discounts=discounts, starting_balance=credit)


def _look(books: Books, identity: str) -> None:
    """Finalizes what is due; what waits for an endpoint's answer is looked at again before it could be due."""
    invoice = books.shelf(Invoice).get(identity)
    due = None if invoice is None else finalizes_at(books, invoice)
    if invoice is None or due is None:
        return
    if due <= books.now:
        finalized(books, invoice)
    elif invoice.finalizes_at is not None and invoice.finalizes_at <= books.now:
        books.clock.at(min(due, books.now + max(MINUTE_S, lead_s(invoice))), partial(_look, books, identity))


def _advance(books: Books, identity: str) -> None:
    invoice = books.shelf(Invoice).get(identity)
    if invoice is not None and invoice.status == "open" and invoice.auto_advance and not invoice.attempts:
        advanced(books, invoice)


def _fall_due(books: Books, identity: str) -> None:
    """What was sent and is not paid when it is due puts its subscription behind."""
    invoice = books.shelf(Invoice).get(identity)
    if invoice is not None and invoice.status == "open" and invoice.due_date == books.now:
        fell_behind(books, invoice)
        _told_of_subscription(books, invoice)


def _counted_at_last(books: Books, invoice: Invoice) -> Invoice:
    everything = books.settings.finalization_waits_for_aggregation
    final = rated(books, invoice, until=books.now if everything else seen_until(books))
    if final.lines != invoice.lines:
        _told(books, final, "invoice.updated")
    return final


def _numbered(books: Books, invoice: Invoice) -> Invoice:
    tally = tally_of(books, invoice.customer)
    tally.balances[invoice.currency] = invoice.ending_balance
    tally.currency = tally.currency or invoice.currency
    known = recipient(books, invoice.customer, last_known=invoice.recipient)
    return replace(
        invoice,
        recipient=known,
        status="open",
        number=tally.next_number(known.prefix),
        finalized_at=books.now,
        finalizes_at=None,
        webhooks_delivered_at=delivered_at(books, invoice),
        due_date=due_date(invoice, since=books.now),
    )


def _settle(books: Books, invoice: Invoice) -> None:
    if caught_up(books, invoice):
        _told_of_subscription(books, invoice)


def _told_of_subscription(books: Books, invoice: Invoice) -> None:
    """Its status changed with the invoice; of one that is being billed right now its biller tells."""
    subscription = books.shelf(Subscription).get(invoice.subscription or "")
    if subscription is not None and subscription.latest_invoice == invoice.id and subscription.is_running:
        told(books, subscription, "customer.subscription.updated")


def due_date(invoice: Invoice, *, since: int) -> int | None:
    return None if invoice.days_until_due is None else since + invoice.days_until_due * DAY_S


def _shelved(books: Books, invoice: Invoice) -> Invoice:
    books.shelf(Invoice)[invoice.id] = invoice
    return invoice


def _told(books: Books, invoice: Invoice, kind: str) -> Event:
    return record(books, kind, rendered(books, invoice))

"""Previews: drafts that nobody keeps as invoices, but whose lines may be paged for a while after they were answered."""

from dataclasses import dataclass, replace

from sandbox.billing.invoice import Invoice
from sandbox.books import Books

PREVIEWS_MAX = 100
"""How many are remembered: enough to page the last one, however many ask at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    invoice: Invoice


def previewed(invoice: Invoice) -> Invoice:
    """The invoice as a preview shows it, whatever had become of it: a draft with lines of no lasting name."""
    return replace(
        invoice,
        status="draft",
        billing_reason="upcoming",
        auto_advance=False,
        number=None,
        attempts=0,
        finalizes_at=None,
        finalized_at=None,
        paid_at=None,
        lines=tuple(replace(line, id=line.id.replace("il_", "il_tmp_", 1)) for line in invoice.lines),
    )


def remembered(books: Books, invoice: Invoice) -> Invoice:
    """For whoever pages its lines."""
    shelf = books.shelf(Preview)
    shelf[invoice.id] = Preview(invoice=invoice)
    while len(shelf) > PREVIEWS_MAX:
        del shelf[next(iter(shelf))]
    return invoice


def preview_of(books: Books, identity: str) -> Invoice | None:
    """The preview of this id; None where there was none, or others have taken its place."""
    found = books.shelf(Preview).get(identity)
    return None if found is None else found.invoice

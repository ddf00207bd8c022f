"""Draft invoices at Stripe: held open, let go, finalized. Each call may be made twice: what it asks for is a state.

Source: docs.stripe.com/api/invoices/update, /api/invoices/finalize; auto_advance says whether Stripe goes on by itself.
"""

from typing import Any

from service.mirrors import inner
from service.stripe_objects import Reads
from service.stripe_words import plain

DRAFT = "draft"


class StripeDrafts:
    """Each answers with the invoice's status. Raises StripeUnavailable, StripeRefused; NotFound: there is none."""

    def __init__(self, client: Any, *, read: Reads) -> None:
        self._v1 = client.v1
        self._read = read

    def hold(self, invoice: str) -> str:
        """It does not advance by itself any more. Of an invoice that was final already this stops its collection."""
        return self._read(lambda: self._v1.invoices.update(invoice, {"auto_advance": False}), parse=_status)

    def let_go(self, invoice: str) -> str:
        return self._read(lambda: self._v1.invoices.update(invoice, {"auto_advance": True}), parse=_status)

    def finalize(self, invoice: str) -> str:
        """Final, and collected or sent as if it had never been held. Refused where it is final."""
        asked = {"auto_advance": True}
        return self._read(lambda: self._v1.invoices.finalize_invoice(invoice, asked), parse=_status)

    def status(self, invoice: str) -> str:
        return self._read(lambda: self._v1.invoices.retrieve(invoice), parse=_status)


def _status(found: Any) -> str:
    status = inner(plain(found), "status")
    if not isinstance(status, str):
        raise TypeError("an invoice has a status")
    return status

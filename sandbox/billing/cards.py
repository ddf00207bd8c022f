"""Stripe's test cards: what attaching one does, and what charging it does.

As Stripe tells them: most of those that decline cannot be attached to a customer either; one can, and declines only
when it is charged (`chargeCustomerFail`), which is how a subscription comes to be unpaid.
"""

from dataclasses import dataclass

from sandbox.errors import ApiError
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    code: str
    message: str
    decline_code: str | None = None


class CardError(ApiError):
    """402: the card was asked, and said no."""

    def __init__(self, decline: Decline) -> None:
        super().__init__(402, decline.message, code=decline.code, param="", kind="card_error")
        self.decline_code = decline.decline_code

    def body(self) -> JsonObject:
        body = super().body()
        if self.decline_code is not None:
            body["error"]["decline_code"] = self.decline_code
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    brand: str
    last4: str
    attaching: Decline | None = None
    """Why it cannot be attached; such a card cannot be charged either."""
    charging: Decline | None = None
    """Why it cannot be charged, though it can be attached."""


def _declined(reason: str, message: str = "Your card was declined.") -> Decline:
    return Decline(code="card_declined", message=message, decline_code=reason)


GENERIC = _declined("generic_decline")
NO_FUNDS = _declined("insufficient_funds", "Your card has insufficient funds.")
EXPIRED = Decline(code="expired_card", message="Your card has expired.")
INCORRECT_CVC = Decline(code="incorrect_cvc", message="Your card's security code is incorrect.")
FAULTY = Decline(
    code="processing_error", message="An error occurred while processing your card. Try again in a little bit."
)

CARDS = {
    "visa": Card(brand="visa", last4="4242"),
    "visa_debit": Card(brand="visa", last4="5556"),
    "mastercard": Card(brand="mastercard", last4="4444"),
    "amex": Card(brand="amex", last4="8431"),
    "discover": Card(brand="discover", last4="1117"),
    "chargeCustomerFail": Card(brand="visa", last4="0341", charging=GENERIC),
    "chargeDeclined": Card(brand="visa", last4="0002", attaching=GENERIC),
    "chargeDeclinedInsufficientFunds": Card(brand="visa", last4="9995", attaching=NO_FUNDS),
    "chargeDeclinedLostCard": Card(brand="visa", last4="9987", attaching=_declined("lost_card")),
    "chargeDeclinedStolenCard": Card(brand="visa", last4="9979", attaching=_declined("stolen_card")),
    "chargeDeclinedExpiredCard": Card(brand="visa", last4="0069", attaching=EXPIRED),
    "chargeDeclinedIncorrectCvc": Card(brand="visa", last4="0127", attaching=INCORRECT_CVC),
    "chargeDeclinedProcessingError": Card(brand="visa", last4="0119", attaching=FAULTY),
}


def card_named(name: str, *, prefix: str) -> str | None:
    """The card that `tok_visa` or `pm_card_visa` stands for; `visa_chargeDeclined` is `chargeDeclined` too."""
    if not name.startswith(prefix):
        return None
    card = name.removeprefix(prefix)
    short = card.removeprefix("visa_") if card.startswith("visa_charge") else card
    return short if short in CARDS else None

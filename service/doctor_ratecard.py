"""The doctor on the rate card: whether it can be read, and whether Stripe has its meters and prices."""

from service.doctor_stripe import impatient
from service.findings import Finding, fail, fine, warn
from service.gateway import Gateway, StripeRefused, StripeUnavailable
from service.ratecard.applying import Part, State, Stripe, compare
from service.ratecard.card import RateCard
from service.ratecard.chosen import card_of
from service.redaction import scrub
from service.settings import Settings, SettingsInvalid

NAME = "rate card"
NAMED_MAX = 3  # of what is missing; apply tells all


def check_rate_card(settings: Settings) -> list[Finding]:
    try:
        card = card_of(settings)
    except SettingsInvalid as wrong:
        first, *others = scrub(str(wrong)).splitlines()
        text = f"it cannot be read: {first}{f' (and {len(others)} more)' if others else ''}"
        remedy = f"meterpost ratecard check {settings.rate_card}; record and reconcile do not start with it"
        return [fail(NAME, text, remedy)]
    if card is None:
        return [fine(NAME, "none: units of rows are not checked (METERPOST_RATE_CARD)")]
    if not settings.stripe_secret_key:
        return [fine(NAME, f"{len(card.rates)} metrics; without a key Stripe is not asked")]
    try:
        return examine_rate_card(card, Gateway(impatient(settings)), file=str(settings.rate_card))
    except (StripeRefused, StripeUnavailable) as away:
        text = f"could not be compared with Stripe: {scrub(str(away))}"
        return [warn(NAME, text, "look at what is said of the stripe key")]


def examine_rate_card(card: RateCard, stripe: Stripe, *, file: str) -> list[Finding]:
    """One finding for all that is missing, one for each that differs."""
    parts = [part for compared in compare(card, stripe) for part in compared.parts]
    bad = [*_missing([part for part in parts if part.state is State.MISSING], file=file), *map(_differs, _other(parts))]
    return bad or [fine(NAME, f"{len(card.rates)} metrics, and Stripe has their meters and prices")]


def _missing(parts: list[Part], *, file: str) -> list[Finding]:
    if not parts:
        return []
    named = ", ".join(f"{part.kind} {part.name}" for part in parts[:NAMED_MAX])
    more = f" and {len(parts) - NAMED_MAX} more" if len(parts) > NAMED_MAX else ""
    return [warn(NAME, f"Stripe lacks {named}{more}", f"meterpost ratecard apply {file}")]


def _other(parts: list[Part]) -> list[Part]:
    return [part for part in parts if part.state is State.DIFFERS]


def _differs(part: Part) -> Finding:
    remedy = "set the card right, or bill by another price; meterpost ratecard apply tells more"
    return warn(NAME, f"the {part.kind} {part.name} at Stripe differs: {part.text}", remedy)

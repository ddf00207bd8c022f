"""The rate card that this deployment goes by: the file of METERPOST_RATE_CARD."""

from collections.abc import Callable

from meterpost.rows import NO_UNITS, Units
from service.ratecard.card import CardRefused, RateCard, load
from service.rating import Terms
from service.settings import Settings, SettingsInvalid


def card_of(settings: Settings) -> RateCard | None:
    """None: there is none. Raises SettingsInvalid, with all that is wrong with it."""
    if settings.rate_card is None:
        return None
    try:
        return load(settings.rate_card)
    except CardRefused as refused:
        raise SettingsInvalid(f"METERPOST_RATE_CARD: {refused}") from None


def terms_by(settings: Settings) -> Callable[[str], Terms | None]:
    """What a metric costs, asked by its event name; None: the card has none. Raises SettingsInvalid."""
    card = card_of(settings)
    rates = {} if card is None else {rate.metric: rate.terms for rate in card.rates}
    return rates.get


def units_of(settings: Settings) -> Units:
    """In what each metric is counted. Raises SettingsInvalid."""
    card = card_of(settings)
    return NO_UNITS if card is None else card.units

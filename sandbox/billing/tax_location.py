"""Where a customer is, as far as automatic tax asks: a country, and in the United States and Canada more."""

import re

from sandbox.wire import JsonObject

COUNTRY = re.compile(r"[A-Za-z]{2}")
ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")


def tax_country(address: JsonObject | None, shipping: JsonObject | None) -> str | None:
    """The country of the first address that is recognized, where goods go before where bills go; None without one."""
    shipped_to = None if shipping is None else shipping["address"]
    for place in (shipped_to, address):
        if place is not None and _is_recognized(place):
            return str(place["country"]).upper()
    return None


def _is_recognized(place: JsonObject) -> bool:
    country = place["country"] or ""
    if not COUNTRY.fullmatch(country):
        return False
    match country.upper():
        case "US":
            return ZIP.fullmatch(place["postal_code"] or "") is not None
        case "CA":
            return bool(place["postal_code"] or place["state"])
        case _:
            return True

"""How many combinations of further payload keys a meter has seen: Stripe rejects what goes beyond its two limits.

Combinations are told apart by all keys but the customer's and the value's. An hour is one of receipt, so that what has
to be remembered of hours is one hour of one meter.
"""

from collections import defaultdict
from typing import TypeAlias

from sandbox.settings import Settings

HOUR_S = 3_600
Combination: TypeAlias = frozenset[tuple[str, str]]


class Dimensions:
    def __init__(self) -> None:
        self._hours: dict[str, tuple[int, set[Combination]]] = {}
        self._of_customers: defaultdict[tuple[str, str], set[Combination]] = defaultdict(set)

    def admit(self, combination: Combination, *, meter: str, customer: str, now: int, settings: Settings) -> bool:
        """Whether both limits let the combination in; if so, it is remembered."""
        of_hour, of_customer = self._this_hour(meter, now // HOUR_S), self._of_customers[meter, customer]
        fits = _fits(combination, of_hour, settings.dimensions_per_meter_hour_max) and _fits(
            combination, of_customer, settings.dimensions_per_customer_max
        )
        if fits:
            of_hour.add(combination)
            of_customer.add(combination)
        return fits

    def _this_hour(self, meter: str, hour: int) -> set[Combination]:
        seen_in, combinations = self._hours.get(meter, (hour, set()))
        if seen_in != hour:
            combinations = set()
        self._hours[meter] = (hour, combinations)
        return combinations


def _fits(combination: Combination, seen: set[Combination], limit: int) -> bool:
    return combination in seen or len(seen) < limit

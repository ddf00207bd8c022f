"""The controls of webhooks under `/_sandbox`: roll a destination's secret, and make deliveries go wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.delivery_faults import DeliveryFault, DeliveryFaults
from sandbox.destinations import roll_secret
from sandbox.keys import Keys
from sandbox.signing import ROLLING_MAX_S
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookControls:
    keys: Keys
    faults: DeliveryFaults

    def controls(self) -> dict[tuple[str, str], Callable[[JsonObject], Awaitable[JsonObject]]]:
        return {
            ("POST", "roll_secret"): self._roll_secret,
            ("GET", "delivery_faults"): self._faults,
            ("POST", "delivery_faults"): self._add_fault,
            ("DELETE", "delivery_faults"): self._clear_faults,
        }

    async def _roll_secret(self, asked: JsonObject) -> JsonObject:
        """`expires_in` seconds from now the old secret stops signing; 0 is at once, as in the Dashboard."""
        destination_id, expires_in_s = str(asked["endpoint"]), asked.get("expires_in", 0)
        if type(expires_in_s) is not int or not 0 <= expires_in_s <= ROLLING_MAX_S:
            raise ValueError(f"expires_in must be whole seconds within 0 and {ROLLING_MAX_S}")
        for books in self.keys.all_books():
            if signing := roll_secret(books, destination_id, expires_in_s=expires_in_s):
                return {"endpoint": destination_id, "secret": signing.secret, "expires_at": signing.previous_until}
        raise ValueError(f"no such endpoint: {destination_id}")

    async def _faults(self, _: JsonObject) -> JsonObject:
        return {"data": self.faults.render()}

    async def _add_fault(self, asked: JsonObject) -> JsonObject:
        fault = DeliveryFault(**asked)
        self.faults.add(fault)
        return fault.render()

    async def _clear_faults(self, asked: JsonObject) -> JsonObject:
        """All of them, or those of one account."""
        self.faults.clear(asked.get("account"))
        return await self._faults(asked)

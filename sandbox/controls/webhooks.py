"""The controls of webhooks under `/_sandbox`: thin events, resending, new secrets, and deliveries that go wrong."""

from dataclasses import dataclass

from sandbox.controls.asked import Asked, ControlError, Controls
from sandbox.keys import DEFAULT_ACCOUNT, Keys
from sandbox.resources.core_events import record_thin
from sandbox.webhooks.courier import Courier, event_by_id
from sandbox.webhooks.delivery_faults import DeliveryFault
from sandbox.webhooks.destinations import roll_secret, still_enabled
from sandbox.webhooks.signing import ROLLING_MAX_S
from sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookControls:
    keys: Keys
    courier: Courier

    def controls(self) -> Controls:
        return {
            ("POST", "core_events"): self._trigger_thin,
            ("POST", "resend"): self._resend,
            ("POST", "roll_secret"): self._roll_secret,
            ("GET", "delivery_faults"): self._faults,
            ("POST", "delivery_faults"): self._add_fault,
            ("DELETE", "delivery_faults"): self._clear_faults,
        }

    async def _trigger_thin(self, asked: Asked) -> JsonObject:
        """Makes a thin event of `type` happen to `account`, with its `related_object` and `data`."""
        account, kind = asked.text("account") or DEFAULT_ACCOUNT, asked.required("type")
        related = asked.group("related_object") if "related_object" in asked else None
        details = asked.group("data") if "data" in asked else {}
        livemode = asked.is_true("livemode")
        asked.nothing_else()
        books = self.keys.books(account, livemode=livemode)
        return record_thin(books, kind, related_object=related, details=details).render_fetched()

    async def _resend(self, asked: Asked) -> JsonObject:
        """Sends `event`, snapshot or thin, once more to one `endpoint`; its automatic repeats go on."""
        event_id, destination_id = asked.required("event"), asked.required("endpoint")
        asked.nothing_else()
        for books in self.keys.all_books():
            event, destination = event_by_id(books, event_id), still_enabled(books, destination_id)
            if event and destination and destination.may_carry(event):
                return {"status": await self.courier.resend(books, event, destination)}
        raise ControlError("event", f"{event_id:.100} and an enabled endpoint {destination_id:.100} do not go together")

    async def _roll_secret(self, asked: Asked) -> JsonObject:
        """Gives `endpoint` a new secret; the old one signs along for `expires_in` seconds."""
        destination_id = asked.required("endpoint")
        expires_in_s = asked.whole("expires_in", default=0, highest=ROLLING_MAX_S)
        asked.nothing_else()
        for books in self.keys.all_books():
            if signing := roll_secret(books, destination_id, expires_in_s=expires_in_s):
                return {"endpoint": destination_id, "secret": signing.secret, "expires_at": signing.previous_until}
        raise ControlError("endpoint", f"{destination_id:.100} is not known")

    async def _faults(self, asked: Asked) -> JsonObject:
        """Lists the faults of deliveries."""
        asked.nothing_else()
        return self._told()

    async def _add_fault(self, asked: Asked) -> JsonObject:
        """Adds a fault of deliveries; `kind`, `type`, `account`, `share`, `seed`, `times`, `copies`, `delay_s`."""
        try:
            fault = DeliveryFault(**asked.rest())
            self.courier.faults.add(fault)
        except (TypeError, ValueError) as wrong:
            raise ControlError(None, str(wrong)) from wrong
        return fault.render()

    async def _clear_faults(self, asked: Asked) -> JsonObject:
        """Removes the faults of deliveries, those of `account` or all; tells which are left."""
        account = asked.text("account")
        asked.nothing_else()
        self.courier.faults.clear(account)
        return self._told()

    def _told(self) -> JsonObject:
        return {"data": self.courier.faults.render()}

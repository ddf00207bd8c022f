"""A call on its way through the door, and what of it comes back as headers."""

from dataclasses import dataclass
from typing import TypeGuard

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.calls.faults import Drawn
from sandbox.calls.idempotency import Keyed
from sandbox.calls.routes import Route
from sandbox.http.arrival import Arrival
from sandbox.http.form import Tree
from sandbox.wire import API_VERSION, Whose

NO_ACCOUNT = ""
NOBODYS = Whose(NO_ACCOUNT, livemode=False)
NO_ENDPOINT = "unrecognized"
KEYED_METHODS = {"v1": ("POST",), "v2": ("POST", "DELETE")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A call on its way through the door."""

    arrival: Arrival
    books: Books | None
    route: Route | None
    path_ids: tuple[str, ...]
    request_id: str
    drawn: Drawn

    @property
    def account(self) -> str:
        return self.books.account if self.books else NO_ACCOUNT

    @property
    def whose(self) -> Whose:
        return self.books.whose if self.books else NOBODYS

    @property
    def has_key(self) -> bool:
        """Whether an Idempotency-Key means something to it."""
        return bool(self.arrival.idempotency_key) and self.arrival.method in KEYED_METHODS[self.arrival.api]

    @property
    def endpoint(self) -> str:
        return self.route.name if self.route else NO_ENDPOINT

    def keyed(self, call: Call) -> Keyed:
        settings, is_v2 = call.books.settings, self.arrival.api == "v2"
        return Keyed(
            key=self.arrival.idempotency_key or "",
            api=self.arrival.api,
            fingerprint=self.arrival.fingerprint(),
            begun_at=call.now,
            window_s=settings.idempotency_v2_window_s if is_v2 else settings.idempotency_window_s,
        )

    def defined(self) -> Tree:
        """What definitions speak of: a v2 page's token stands in none, because SDKs only follow addresses."""
        sent = self.arrival.sent
        if self.arrival.api == "v2" and self.arrival.method == "GET":
            return {name: value for name, value in sent.items() if name != "page"}
        return sent

    def echoed(self) -> dict[str, str]:
        version, key = self.arrival.version, self.arrival.idempotency_key
        headers = {"Request-Id": self.request_id, "Stripe-Version": version if _is_plain(version) else API_VERSION}
        if _is_plain(key):
            headers["Idempotency-Key"] = key
        return headers


def _is_plain(text: str | None) -> TypeGuard[str]:
    """Whether it may stand in a header."""
    return text is not None and text != "" and text.isascii()

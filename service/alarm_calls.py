"""One call that posts an alarm to its receiver: bounded in time, signed, and never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import certifi

from service.alarm_posts import SIGNATURE, signature_of
from service.http import CallFailed, Http
from service.redaction import on_one_line, scrub
from service.settings import Settings

OK_MIN, OK_MAX, REDIRECT_MAX = 200, 299, 399
CONNECT_TIMEOUT_S = 5
ANSWER_CHARS_MAX = 200  # of what the receiver says; the rest is its own affair


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the receiver made of it. `status` None: it gave no whole answer in time."""

    status: int | None
    text: str

    @property
    def is_taken(self) -> bool:
        return self.status is not None and OK_MIN <= self.status <= OK_MAX

    @property
    def reason(self) -> str:
        """Why it was not taken."""
        if self.status is None:
            return self.text
        is_elsewhere = OK_MAX < self.status <= REDIRECT_MAX
        remedy = "; redirects are not followed: set METERPOST_ALARM_URL to where it leads" if is_elsewhere else ""
        return f"answered {self.status}{remedy}{': ' if self.text else ''}{self.text}"


class Receiver:
    """Where alarms go."""

    def __init__(self, settings: Settings) -> None:
        assert settings.alarm_url, "without an address nothing is posted"
        assert settings.alarm_secret, "settings ask for it with the address"
        self._url = settings.alarm_url
        self._secret = settings.alarm_secret
        deadline_s = settings.timing.post_deadline_s
        self._http = Http(
            connect_timeout_s=min(CONNECT_TIMEOUT_S, deadline_s),
            deadline_s=deadline_s,
            ca_bundle=certifi.where(),
            no_proxy="*" if self._url.lower().startswith("http://") else "",  # in the open it stays on this machine
        )

    @property
    def host(self) -> str:
        """All of the address that may be told: the rest may be a secret."""
        return urlsplit(self._url).netloc

    def post(self, body: str) -> Told:
        written = body.encode()
        headers: Mapping[str, str] = {
            "Content-Type": "application/json",
            "User-Agent": "meterpost",
            SIGNATURE: signature_of(written, secret=self._secret, at=datetime.now(UTC)),
        }
        try:
            answer = self._http.call("POST", self._url, headers=headers, body=written)
        except CallFailed as failed:
            return Told(status=None, text=self._clean(str(failed)))
        return Told(status=answer.status, text=self._clean(answer.body[:ANSWER_CHARS_MAX].decode("utf-8", "replace")))

    def _clean(self, text: str) -> str:
        """A receiver may say anything, our secret included."""
        own = text.replace(self._secret, "[redacted]").replace(self._url, self.host)
        return on_one_line(scrub(own.strip()))[:ANSWER_CHARS_MAX]

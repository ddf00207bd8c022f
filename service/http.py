"""One HTTP call with a *total* deadline, over libcurl.

requests' timeout is per read: a body that drips can hold a call, and with it a lane's lease, for as long as it likes.
libcurl ends the whole call, and it counts the bytes of the request that it gave to the network, which decides whether
Stripe may have applied what we asked: none before the connection, and TLS on it, stood. A body is read through a
callback that cannot be rewound, because libcurl would otherwise repeat a request by itself when a kept connection
turns out dead, and every call must be ours to count.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import pycurl
from requests.structures import CaseInsensitiveDict

ANSWER_BYTES_MAX = 8 * 1024 * 1024  # the longest list of Stripe's is below one; more is not an answer


class CallFailed(Exception):
    """The call ended without an answer. `is_sent` False: the other side cannot have seen it."""

    def __init__(self, text: str, *, is_sent: bool) -> None:
        super().__init__(text)
        self.is_sent = is_sent


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes


class Http:
    """Warm connections, one set a thread. Redirects are not followed; proxies are taken from the environment.

    `no_proxy`: hosts that no proxy may see, as libcurl has them, whatever the environment says.
    """

    def __init__(self, *, connect_timeout_s: int, deadline_s: int, ca_bundle: str, no_proxy: str = "") -> None:
        self._connect_timeout_s = connect_timeout_s
        self._deadline_s = deadline_s
        self._ca_bundle = ca_bundle
        self._no_proxy = no_proxy
        self._of_thread = threading.local()

    def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None) -> HttpAnswer:
        """Raises CallFailed when there is no whole answer within the deadline."""
        curl = self._curl()
        answer_body, answer_head = _Limited(), BytesIO()
        self._prepare(curl, method, url)
        curl.setopt(pycurl.HTTPHEADER, [*(f"{name}: {value}" for name, value in headers.items()), "Expect:"])
        curl.setopt(pycurl.WRITEFUNCTION, answer_body.write)
        curl.setopt(pycurl.HEADERFUNCTION, answer_head.write)
        if body is not None:
            curl.setopt(pycurl.READFUNCTION, BytesIO(body).read)
            curl.setopt(pycurl.POSTFIELDSIZE, len(body))
        try:
            curl.perform()
        except pycurl.error as failed:
            number = int(failed.args[0])
            is_sent = int(curl.getinfo(pycurl.REQUEST_SIZE)) > 0  # whichever error it was, and on a kept connection too
            raise CallFailed(f"{failed.args[-1]} (libcurl {number})", is_sent=is_sent) from failed
        status = int(curl.getinfo(pycurl.RESPONSE_CODE))
        return HttpAnswer(status=status, headers=_headers(answer_head.getvalue()), body=answer_body.whole)

    def _curl(self) -> pycurl.Curl:
        if not hasattr(self._of_thread, "curl"):
            self._of_thread.curl = pycurl.Curl()
        curl: pycurl.Curl = self._of_thread.curl
        curl.reset()  # options only; connections are kept
        return curl

    def _prepare(self, curl: pycurl.Curl, method: str, url: str) -> None:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.NOSIGNAL, 1)  # signals and threads do not mix
        curl.setopt(pycurl.CONNECTTIMEOUT, self._connect_timeout_s)
        curl.setopt(pycurl.TIMEOUT, self._deadline_s)
        curl.setopt(pycurl.CAINFO, self._ca_bundle)
        if self._no_proxy:
            curl.setopt(pycurl.NOPROXY, self._no_proxy)
        curl.setopt(pycurl.TCP_NODELAY, 1)
        # HTTP/2's frames wait in a buffer of libcurl's, and then the count of bytes sent says less.
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        if method.upper() == "POST":
            curl.setopt(pycurl.POST, 1)
        elif method.upper() != "GET":
            curl.setopt(pycurl.CUSTOMREQUEST, method.upper())


class _Limited:
    """A body that stops the call once it is too long."""

    def __init__(self) -> None:
        self._buffer = BytesIO()

    def write(self, piece: bytes) -> int:
        if self._buffer.tell() + len(piece) > ANSWER_BYTES_MAX:
            return 0  # libcurl takes a short write as an order to stop
        return self._buffer.write(piece)

    @property
    def whole(self) -> bytes:
        return self._buffer.getvalue()


def _headers(head: bytes) -> CaseInsensitiveDict[str]:
    last = head.decode("latin-1").strip().split("\r\n\r\n")[-1]  # an interim answer comes before
    pairs = (line.partition(":") for line in last.split("\r\n")[1:])
    return CaseInsensitiveDict({name.strip(): value.strip() for name, _, value in pairs})

"""Where a destination may be: the rules for its URL, the same for v1 endpoints and v2 destinations.

Stripe also refuses addresses that are not public; here receivers are on the same machine, so they are taken.
"""

from urllib.parse import SplitResult, urlsplit

from sandbox.calls.call import Call
from sandbox.errors import ApiError, invalid
from sandbox.parameters.params import Params

URL_LENGTH_MAX = 2_048


def url_of(call: Call, params: Params) -> str:
    """The parameter `url`, checked."""
    url = params.required("url", length_max=URL_LENGTH_MAX)
    parts = _split(url, param=params.named("url"))
    if parts.scheme not in {"http", "https"}:
        raise _invalid_url("An explicit scheme (such as https) must be provided.", param=params.named("url"))
    if parts.scheme == "http" and call.books.livemode and call.books.settings.live_webhooks_need_https:
        raise _invalid_url("Live mode requires an https URL.", param=params.named("url"))
    return url


def _split(url: str, *, param: str) -> SplitResult:
    """Refuses what could never be called: a name that is not one, a port that there is not."""
    try:
        parts = urlsplit(url)
        is_address = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError as wrong:
        raise _invalid_url("It has no host, or no port, that there can be.", param=param) from wrong
    if parts.scheme in {"http", "https"} and (not is_address or not url.isprintable() or " " in url):
        raise _invalid_url("A host must be provided.", param=param)
    return parts


def _invalid_url(reason: str, *, param: str) -> ApiError:
    return invalid(f"Invalid URL: {reason}", param=param, code="url_invalid")

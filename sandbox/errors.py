"""Stripe's refusals: one exception that knows the status, body and headers it is answered with.

An exception and not a value, because a refusal ends a call from any depth and only the front door (`door.py`) answers.
`began` tells whether execution had begun: only then does Stripe keep the answer under the Idempotency-Key.
"""

from sandbox.wire import JsonObject

DOC_URL = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
        began: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.headers = headers or {}
        self.began = began

    def body(self) -> JsonObject:
        error: JsonObject = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error |= {"code": self.code, "doc_url": DOC_URL + self.code.replace("_", "-")}
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, *, param: str, code: str | None = None) -> ApiError:
    """A parameter of the wrong shape: refused before execution begins, so never kept under a key."""
    return ApiError(400, message, param=param, code=code, began=False)


def missing(param: str) -> ApiError:
    return invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")


def no_such(noun: str, identity: str, *, param: str = "id") -> ApiError:
    """404 for an id of the path, 400 for an id named by a parameter."""
    status = 404 if param == "id" else 400
    return ApiError(status, f"No such {noun}: '{identity}'", param=param, code="resource_missing")


def referring(error: ApiError, *, status: int) -> ApiError:
    """The refusal of an id that a parameter names, with the status that the account has chosen for it."""
    if error.code == "resource_missing" and error.param != "id":
        error.status = status
    return error


def unknown_url(method: str, path: str) -> ApiError:
    return ApiError(404, f"Unrecognized request URL ({method}: {path}).", began=False)


def unreadable(reason: str, *, status: int = 400) -> ApiError:
    return ApiError(status, reason, began=False)


def no_version() -> ApiError:
    return ApiError(400, "Requests to /v2 need the header Stripe-Version.", code="missing_api_version", began=False)


def unknown_version(version: str, *, spoken: str) -> ApiError:
    return ApiError(400, f"Invalid Stripe API version: {version}. The sandbox speaks {spoken}.", began=False)


def no_access(key: str, account: str) -> ApiError:
    """The sandbox knows no Connect: a key acts for its own account alone."""
    return ApiError(
        403,
        f"The provided key '{_masked(key)}' does not have access to account '{account}' (or that account does not "
        "exist). Application access may have been revoked.",
        code="account_invalid",
        began=False,
    )


def no_key() -> ApiError:
    return ApiError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        headers={"WWW-Authenticate": 'Bearer realm="Stripe"'},
    )


def wrong_key(key: str) -> ApiError:
    return ApiError(401, f"Invalid API Key provided: {_masked(key)}")


def revoked_key(key: str) -> ApiError:
    return ApiError(401, f"Expired API Key provided: {_masked(key)}", code="api_key_expired")


def rate_limited(reason: str | None, *, kind: str = "invalid_request_error", retry_after_s: int = 0) -> ApiError:
    """Stripe's limiter: its reason stands only in a header, which some 429s lack; a Retry-After only if asked for."""
    headers = {"Stripe-Rate-Limited-Reason": reason} if reason else {}
    return ApiError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        kind=kind,
        headers=headers | ({"Retry-After": str(retry_after_s)} if retry_after_s else {}),
        began=False,
    )


def lock_timeout() -> ApiError:
    return ApiError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
        began=False,
    )


def too_many_concurrent(code: str = "too_many_concurrent_requests") -> ApiError:
    return ApiError(
        409,
        "Cannot create multiple usage events for the same customer, meter concurrently.",
        code=code,
        began=False,
    )


def server_error(*, says_not_to_retry: bool = False) -> ApiError:
    headers = {"Stripe-Should-Retry": "false"} if says_not_to_retry else {}
    return ApiError(500, "An unknown error occurred.", kind="api_error", headers=headers)


def _masked(key: str) -> str:
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 12 else "*" * len(key)  # noqa: PLR2004 - Stripe shows both ends of long keys only

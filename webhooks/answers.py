"""What the door says: constant texts, so that nothing of what was sent comes back."""

from http import HTTPStatus

from flask import Response
from werkzeug.exceptions import HTTPException

RECEIVED = HTTPStatus.OK
BAD_REQUEST = HTTPStatus.BAD_REQUEST
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE


def answer(status: HTTPStatus) -> Response:
    return Response(f"{status.phrase}\n", status=status, mimetype="text/plain", headers={"Cache-Control": "no-store"})


def refusal(error: HTTPException) -> Response:
    """Flask's own refusals (404, 405, 413, …) in the same plain words, with the methods that a 405 must name."""
    response = answer(HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response

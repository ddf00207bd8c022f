"""aiohttp's bare server, less the pages that it would answer with: what is no HTTP is refused in JSON too."""

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from sandbox.errors import unreadable
from sandbox.http.answer import JSON, refusal


def _refused_in_json(
    _: RequestHandler, request: web.BaseRequest, status: int = 500, *told: object
) -> web.StreamResponse:
    """The caller is told what `told`, aiohttp's exception and its message, says; nothing is logged."""
    if request.writer.output_size > 0:
        raise ConnectionError("the answer is on its way already")
    reasons = str(told[-1] or "").splitlines() if told else []
    answer = refusal(unreadable(f"Invalid request: {(reasons or ['it is no HTTP'])[0]}", status=status))
    response = web.Response(status=status, body=answer.body, content_type=JSON)
    response.force_close()
    return response


class JsonConnection(RequestHandler):
    handle_error = _refused_in_json  # type: ignore[assignment]  # the exception and the message are taken together


class JsonServer(web.Server):
    def __call__(self) -> RequestHandler:
        return JsonConnection(self, loop=self._loop, **self._kwargs)

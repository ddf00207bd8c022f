"""The last step of an answer: whole, or as the faults of a wire have it."""

import asyncio

from aiohttp import web

from sandbox.http.answer import Answer

PIECES_MAX_S = 0.05
"""The pause between two pieces of a slow answer, where its pace allows several bytes at once."""


async def send(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    match answer.sending:
        case "whole":
            return web.Response(
                status=answer.status, body=answer.body, headers=answer.headers, content_type=answer.content_type
            )
        case "nothing":
            return _hung_up(request)
        case "half":
            response = await _begun(request, answer)
            await response.write(answer.body[: len(answer.body) // 2])
            if request.transport is not None:
                request.transport.close()
            return response
        case "slowly":
            return await _dripped(request, answer)


def _hung_up(request: web.BaseRequest) -> web.Response:
    """Drops the connection without a byte: the reply that aiohttp then writes goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _dripped(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = await _begun(request, answer)
    size = max(1, int(answer.bytes_per_s * PIECES_MAX_S))
    for start in range(0, len(answer.body), size):
        await response.write(answer.body[start : start + size])
        await asyncio.sleep(size / answer.bytes_per_s)
    return response


async def _begun(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    await response.prepare(request)
    return response

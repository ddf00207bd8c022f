"""The least an HTTP server can do with a meter event: read it and answer. What the sandbox's speed is a ratio of."""

import asyncio
import json
import sys

from aiohttp import web

ANSWER = json.dumps(
    {
        "object": "billing.meter_event",
        "created": 1_700_000_000,
        "event_name": "calls",
        "identifier": "mtr_event_ident_000000000000000000000000",
        "livemode": False,
        "payload": {"stripe_customer_id": "cus_00000000000000", "value": "1"},
        "timestamp": 1_700_000_000,
    },
).encode()


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


async def serve() -> None:
    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    sys.stdout.write(json.dumps({"listening": f"http://{host}:{port}"}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())

"""An application that bills by use: every answered request is one unit. Run it with `flask --app examples/app run`."""

from flask import Flask, request

from meterpost import Meterpost

app = Flask(__name__)
meterpost = Meterpost.from_env()  # BROKER_URL says where the queue is


@app.post("/translate")
def translate() -> dict[str, str]:
    row_id = request.headers.get("Idempotency-Key")  # a request that is sent again is billed once
    meterpost.usage(request.headers["Customer"], "api_requests", 1, row_id=row_id, source="translate")
    return {"translated": request.get_data(as_text=True)[::-1]}

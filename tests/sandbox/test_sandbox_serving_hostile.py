"""What no honest client sends is answered in JSON too, and never with a traceback."""

import json
import socket
from typing import Any

import pytest
import requests

from sandbox.books import Books
from sandbox.calls.call import Call
from sandbox.calls.door import run
from sandbox.calls.routes import Route
from sandbox.clock import Clock
from sandbox.http.answer import Answer
from sandbox.ids import Ids
from sandbox.parameters.params import Params
from sandbox.settings import Settings

CUSTOMERS = "/v1/customers"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EVENTS_V2 = "/v2/billing/meter_events"


def posted(shop: Any, body: bytes, *, path: str = CUSTOMERS, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(shop.sandbox.url + path, body, auth=(shop.key, ""), headers=FORM | named, timeout=20)


@pytest.mark.parametrize(
    "body",
    [
        b"name=\xff\xfe",
        b"name=%ff%fe",
        b"name=a%00b",
        b"name=a\x00b",
        b"a" + b"[b]" * 100 + b"=1",
        b"&".join(b"metadata[k%d]=v" % number for number in range(3_000)),
        b"=" * 5_000,
        b"[[[]]]=1",
        b"name[a]=1",
    ],
    ids=["utf8", "utf8 quoted", "null quoted", "null", "deep", "many", "signs", "brackets", "group"],
)
def test_a_form_that_no_client_sends_is_a_400(shop: Any, body: bytes) -> None:
    answer = posted(shop, body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"7",
        b'"text"',
        b"\xff",
        b'{"a": NaN}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a":' * 100_000,
        b'{"a":' * 20 + b"1" + b"}" * 20,
        b'{"a": [' + b"1," * 6_000 + b"1]}",
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=["open", "list", "number", "text", "utf8", "nan", "null", "surrogate", "open deep", "deep", "many", "digits"],
)
def test_a_json_body_that_no_client_sends_is_a_400_of_v2(shop: Any, body: bytes) -> None:
    answer = posted(shop, body, path=EVENTS_V2, Content_Type="application/json", Stripe_Version="2026-10-28.endive")
    assert (answer.status_code, {*answer.json()["error"]} >= {"code", "message", "type"}) == (400, True)


def test_a_body_over_the_limit_is_a_413_in_json(shop: Any) -> None:
    answer = posted(shop, b"name=" + b"a" * 3_000_000)
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS"])
def test_a_method_that_stripe_does_not_know_is_not_recognized(shop: Any, method: str) -> None:
    answer = requests.request(method, shop.sandbox.url + CUSTOMERS, auth=(shop.key, ""), timeout=10)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Unrecognized request URL ({method}: /v1/customers)."


def test_a_head_has_no_body(shop: Any) -> None:
    answer = requests.head(shop.sandbox.url + CUSTOMERS, auth=(shop.key, ""), timeout=10)
    assert (answer.status_code, answer.content) == (404, b"")


def test_json_for_v1_is_refused_with_what_it_should_be(shop: Any) -> None:
    answer = posted(shop, b"{}", Content_Type="application/json")
    assert answer.status_code == 400
    assert "application/x-www-form-urlencoded" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"BREW /v1/account HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/account HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 99_999,
    ],
    ids=["words", "method", "version", "header"],
)
def test_what_is_no_http_is_refused_in_json(shared_sandbox: Any, sent: bytes) -> None:
    host, port = shared_sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent + b"\r\n\r\n")
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def test_a_key_that_is_no_ascii_is_refused_and_not_sent_back(shop: Any) -> None:
    answer = requests.post(
        shop.sandbox.url + CUSTOMERS, auth=(shop.key, ""), headers={"Idempotency-Key": "ключ".encode()}, timeout=10
    )
    assert answer.status_code == 400
    assert "Idempotency-Key" not in answer.headers


@pytest.fixture
def broken_call() -> Call:
    clock = Clock()
    ids = Ids(seed=1, scope="a")
    settings = Settings()
    books = Books(account="a", livemode=False, clock=clock, ids=ids, settings=settings, announce=lambda *_: None)
    return Call(books=books, params=Params({}), path="/v1/x", path_ids=(), request_id="req_1", idempotency_key=None)


def test_a_fault_of_an_endpoint_is_a_500_told_on_stderr(broken_call: Call, capsys: Any) -> None:
    answer: Answer = run(Route("GET", "/v1/x", lambda call: {"never": call.path_ids[0]}), broken_call)
    assert (answer.status, json.loads(answer.body)["error"]["type"]) == (500, "api_error")
    assert "IndexError" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
def test_a_body_that_would_have_to_be_decoded_first_is_a_400(shop: Any, encoding: str) -> None:
    answer = posted(shop, b"name=Ada", Content_Encoding=encoding)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")

"""The gateway: whatever Stripe, or what stands in its place, answers becomes an Answer, and no noise becomes a yes."""

import json
from datetime import UTC, datetime

import pytest

from service.gateway import StripeRefused, StripeUnavailable
from service.limiter import Unlimited
from service.outcomes import Accepted, Answer, Reach, Refused, Unavailable, Unknown, classify

OURS = json.dumps({"object": "billing.meter_event", "identifier": "mp-1", "event_name": "tokens"}).encode()
OTHERS = OURS.replace(b"mp-1", b"mp-2")
GARBAGE = [
    b"",
    b"null",
    b"[]",
    b"[1]",
    b'"yes"',
    b"7",
    b"{}",
    b"<html>502 Bad Gateway</html>",
    b"\xff\xfe\x00",
    b'{"error": null}',
    b'{"error": "nope"}',
    b'{"error": 7}',
    b'{"error": []}',
    b'{"error": {"message": {"deep": 1}, "code": 7, "type": null}}',
    b'{"identifier": null}',
    b'{"object": "billing.meter_event"}',
    b"[" * 20_000,
    OTHERS,
]
SUMMARY = {"id": "s1", "object": "billing.meter_event_summary", "start_time": 1_800_000_000, "aggregated_value": 0.3}


def test_a_yes_to_our_identifier_is_an_acceptance(send, server, answer):
    server.answers = [answer(OURS)]

    assert isinstance(classify(send()), Accepted)


def test_a_call_tells_our_own_name_of_it(send, server, answer):
    server.answers = [answer(OURS)]

    send()

    assert b"\r\nx-request-id: mp-7-1\r\n" in server.asked[0].lower()


@pytest.mark.parametrize("status", [200, 201, 204, 302, 500, 503])
@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_what_cannot_be_read_is_neither_a_yes_nor_a_no(send, server, answer, status, body):
    server.answers = [answer(body, status=status)]

    assert isinstance(classify(send()), Unknown)


@pytest.mark.parametrize("status", [400, 404, 402, 422])
@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_a_no_without_words_that_we_know_is_no_refusal(send, server, answer, status, body):
    server.answers = [answer(body, status=status)]

    assert isinstance(classify(send()), Unknown)


def test_stripes_words_code_and_request_id_are_kept(send, server, answer):
    error = {"error": {"message": "No such customer: 'cus_1'", "type": "invalid_request_error", "code": "missing"}}
    server.answers = [answer(json.dumps(error).encode(), status=400, headers="Idempotent-Replayed: true\r\n")]

    assert send() == Answer(
        reach=Reach.ANSWERED,
        status=400,
        type="invalid_request_error",
        code="missing",
        message="No such customer: 'cus_1'",
        request_id="req_1",
        is_replayed=True,
    )


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("An event already exists with identifier mp-1.", Accepted),
        ("The event timestamp cannot be more than 35 days in past.", Refused),
        ("Something new that nobody has seen", Unknown),
    ],
)
def test_two_400s_without_a_code_differ_by_their_words_alone(send, server, answer, message, outcome):
    error = {"error": {"message": message, "type": "invalid_request_error"}}
    server.answers = [answer(json.dumps(error).encode(), status=400)]

    assert isinstance(classify(send()), outcome)


def test_a_429_carries_the_limiters_reason(send, server, answer):
    error = json.dumps({"error": {"message": "slow down", "type": "invalid_request_error"}}).encode()
    server.answers = [answer(error, status=429, headers="Stripe-Rate-Limited-Reason: global-rate\r\n")]

    told = send()

    assert told.limited_reason == "global-rate"
    assert isinstance(classify(told), Unavailable)


def test_the_sdk_makes_one_request_a_call_with_our_key_and_version_and_without_telemetry(send, server, answer):
    server.answers = [answer(b"{}", status=500)] * 2
    send()
    send()

    asked = [request.lower() for request in server.asked]
    assert len(asked) == 2
    assert all(b"idempotency-key: key-1" in request for request in asked)
    assert all(b"stripe-version: 2026-10-28.endive" in request for request in asked)
    assert not any(b"x-stripe-client-telemetry" in request for request in asked)
    assert asked[0].endswith(b"timestamp=1800000000") or b"timestamp=1800000000" in asked[0]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, StripeRefused),
        (404, StripeRefused),
        (409, StripeUnavailable),
        (429, StripeUnavailable),
        (500, StripeUnavailable),
        (200, StripeUnavailable),
    ],
)
def test_a_reading_that_fails_says_whether_asking_later_may_help(make_gateway, server, answer, status, raised):
    server.answers = [answer(b"no JSON", status=status)]

    with pytest.raises(raised):
        make_gateway(server.url).list_meters()


def test_a_summarys_float_is_read_as_the_decimal_that_was_counted(make_gateway, server, answer):
    page = {"object": "list", "data": [SUMMARY], "has_more": False, "url": "/"}
    server.answers = [answer(json.dumps(page).encode())]
    instant = datetime(2027, 1, 15, 8, tzinfo=UTC)

    (summary,) = make_gateway(server.url).read_summaries(
        "mtr_1", customer="cus_1", start=instant, end=instant, window=None
    )

    assert str(summary.value) == "0.3"


def test_a_list_is_read_to_its_end(make_gateway, server, answer):
    pages = [
        {"object": "list", "data": [{**SUMMARY, "id": f"s{number}"}], "has_more": number < 2, "url": "/"}
        for number in range(3)
    ]
    server.answers = [answer(json.dumps(page).encode()) for page in pages]
    instant = datetime(2027, 1, 15, 8, tzinfo=UTC)

    read = make_gateway(server.url).read_summaries("mtr_1", customer="cus_1", start=instant, end=instant, window="hour")

    assert len(read) == 3
    assert b"starting_after=s1" in server.asked[2]


def test_a_limiters_429_on_a_reading_slows_readings_down(make_gateway, server, answer):
    pace = Remembering()
    server.answers = [answer(b"{}", status=429, headers="Stripe-Rate-Limited-Reason: endpoint-rate\r\n")]

    with pytest.raises(StripeUnavailable):
        make_gateway(server.url, limiter=pace).list_meters()

    assert (pace.taken, pace.slowed) == (["calls"], ["calls"])


def test_a_limiters_429_that_is_known_by_its_code_alone_slows_readings_down_too(make_gateway, server, answer):
    pace = Remembering()
    error = json.dumps({"error": {"code": "rate_limit", "message": "slow down"}}).encode()
    server.answers = [answer(error, status=429)]

    with pytest.raises(StripeUnavailable):
        make_gateway(server.url, limiter=pace).list_meters()

    assert pace.slowed == ["calls"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [("a\0b", "ab"), ("a\ud800b", "a?b"), ("No such customer" * 100_000, ("No such customer" * 100)[:500])],
)
def test_words_of_stripes_are_kept_as_the_ledger_can_hold_them(send, server, answer, said, kept):
    error = {"error": {"message": said, "type": said, "code": said}}
    server.answers = [answer(json.dumps(error).encode(), status=400)]

    told = send()

    assert (told.message, told.type, told.code) == (kept, kept, kept)


@pytest.mark.parametrize("body", [b'{"a":' * 900 + b"1" + b"}" * 900, b"[" * 900 + b"]" * 900])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_nested_too_deep_is_neither_a_yes_nor_a_no(send, server, answer, body, status):
    server.answers = [answer(body, status=status)]

    assert isinstance(classify(send()), Unknown)


def test_what_nobody_expected_may_have_been_sent(make_gateway, server):
    told = make_gateway(server.url).send_meter_event(
        "tokens", payload=None, timestamp=1_800_000_000, identifier="mp-1", idempotency_key="key-1", call_id="mp-7-1"
    )

    assert (told.reach, told.message[:9]) == (Reach.MAYBE_SENT, "TypeError")


@pytest.mark.parametrize(
    "body",
    [
        b'{"object": "list", "data": [], "has_more": true}',
        b"[]",
        b"{}",
        b'{"object": "list", "data": null, "has_more": false}',
        b'{"object": "list", "data": [{"id": "s1"}], "has_more": false}',
        b'{"object": "list", "data": [{"start_time": 1e99, "aggregated_value": 1}], "has_more": false}',
        b'{"object": "list", "data": [{"start_time": 1, "aggregated_value": "much"}], "has_more": false}',
        b'{"a":' * 900 + b"1" + b"}" * 900,
    ],
)
def test_a_list_that_cannot_be_understood_may_be_asked_for_again(make_gateway, server, answer, body):
    server.answers = [answer(body)]
    instant = datetime(2027, 1, 15, 8, tzinfo=UTC)

    with pytest.raises(StripeUnavailable, match="could not be read"):
        make_gateway(server.url).read_summaries("mtr_1", customer="cus_1", start=instant, end=instant, window=None)


@pytest.mark.parametrize(
    "read",
    [
        lambda gateway: gateway.account(),
        lambda gateway: gateway.list_meters(),
        lambda gateway: gateway.list_subscriptions("cus_1"),
        lambda gateway: gateway.objects.retrieve("invoice", "in_1"),
        lambda gateway: gateway.objects.retrieve("price", "price_1"),
    ],
)
def test_an_answer_that_is_no_object_may_be_asked_for_again(make_gateway, server, answer, read):
    server.answers = [answer(b"[]")]

    with pytest.raises(StripeUnavailable, match="could not be read"):
        read(make_gateway(server.url))


class Remembering(Unlimited):
    def __init__(self) -> None:
        self.taken: list[str] = []
        self.slowed: list[str] = []

    def take(self, kind: str, *, wait_s_max: float = 0) -> None:
        del wait_s_max
        self.taken.append(kind)

    def slow_down(self, kind: str) -> bool:
        self.slowed.append(kind)
        return True

"""One HTTP call: whole within its deadline, and made once."""

import socket
import time
from contextlib import suppress

import pytest

from service.http import ANSWER_BYTES_MAX, CallFailed, Http

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with suppress(OSError):  # it goes on until the other side hangs up
        for _ in range(1000):
            connection.sendall(b".")
            connection.settimeout(0.1)
            with suppress(TimeoutError):
                if connection.recv(1) == b"":
                    return


def hold(connection):
    with suppress(OSError):
        connection.recv(1)  # until the other side hangs up


def test_a_dripping_answer_ends_by_the_total_deadline(http, server):
    server.answers = [drip]
    begun = time.monotonic()

    with pytest.raises(CallFailed, match="timed out") as failed:
        http.call("post", server.url, headers={}, body=b"value=5")

    assert failed.value.is_sent
    assert time.monotonic() - begun < 5


def test_no_answer_at_all_ends_by_the_total_deadline(http, server):
    server.answers = [hold]

    with pytest.raises(CallFailed, match="timed out") as failed:
        http.call("post", server.url, headers={}, body=b"value=5")

    assert failed.value.is_sent


@pytest.mark.parametrize("answer", [HALF, b"HTTP/1.1 200", b"", b"\x00\xff no HTTP\r\n\r\n"])
def test_half_an_answer_is_no_answer_and_may_have_been_applied(http, server, answer):
    server.answers = [lambda connection: connection.sendall(answer)]

    with pytest.raises(CallFailed) as failed:
        http.call("post", server.url, headers={}, body=b"value=5")

    assert failed.value.is_sent


def test_a_refused_connection_was_never_sent(http):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(CallFailed) as failed:
        http.call("post", f"http://127.0.0.1:{port}", headers={}, body=b"value=5")

    assert not failed.value.is_sent


def test_a_name_that_does_not_resolve_was_never_sent(http):
    with pytest.raises(CallFailed) as failed:
        http.call("post", "http://nowhere.invalid", headers={}, body=b"value=5")

    assert not failed.value.is_sent


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_is_never_answered_was_never_sent(http, silent_port, scheme):
    with pytest.raises(CallFailed, match="timed out") as failed:
        http.call("post", f"{scheme}://127.0.0.1:{silent_port}", headers={}, body=b"value=5")

    assert not failed.value.is_sent


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_call_whose_tls_never_stood_was_never_sent(http, plain_port, greeting):
    with pytest.raises(CallFailed, match="TLS") as failed:
        http.call("post", f"https://127.0.0.1:{plain_port(greeting)}", headers={}, body=b"value=5")

    assert not failed.value.is_sent


def test_certificates_that_cannot_be_read_send_nothing(plain_port):
    lost = Http(connect_timeout_s=1, deadline_s=1, ca_bundle="/nowhere/ca.pem")

    with pytest.raises(CallFailed, match="libcurl 77") as failed:
        lost.call("post", f"https://127.0.0.1:{plain_port(b'')}", headers={}, body=b"value=5")

    assert not failed.value.is_sent


def test_what_an_earlier_call_sent_is_not_counted_for_one_that_never_connected(http, server, answer, silent_port):
    server.answers = [answer(b"{}")]
    http.call("post", server.url, headers={}, body=b"value=5")

    with pytest.raises(CallFailed) as failed:
        http.call("post", f"http://127.0.0.1:{silent_port}", headers={}, body=b"value=5")

    assert not failed.value.is_sent


def test_a_kept_connection_that_falls_silent_may_have_carried_the_request(http, server, answer):
    server.answers = [answer(b"{}"), hold]
    http.call("post", server.url, headers={}, body=b"value=5")

    with pytest.raises(CallFailed, match="timed out") as failed:
        http.call("post", server.url, headers={}, body=b"value=6")

    assert failed.value.is_sent
    assert server.connections == 1


def test_a_kept_connection_that_died_is_no_second_request_behind_our_back(http, server, answer):
    server.answers = [answer(b"{}"), "close", answer(b"{}")]
    http.call("post", server.url, headers={}, body=b"value=5")

    with pytest.raises(CallFailed) as failed:
        http.call("post", server.url, headers={}, body=b"value=6")

    assert failed.value.is_sent
    assert len(server.asked) == 2


def test_a_connection_is_kept_between_calls(http, server, answer):
    server.answers = [answer(b"{}")] * 3
    for _ in range(3):
        http.call("post", server.url, headers={}, body=b"value=5")

    assert (len(server.asked), server.connections) == (3, 1)


def test_a_body_is_sent_at_once_and_once_without_asking_first(http, server, answer):
    server.answers = [answer(b"{}")]

    http.call("post", server.url, headers={"X-Our": "own"}, body=b"value=5" * 1000)

    (asked,) = server.asked
    assert asked.endswith(b"value=5" * 1000)
    assert b"\r\nX-Our: own\r\n" in asked
    assert b"expect:" not in asked.lower()


def test_an_endless_answer_is_cut_off(http, server):
    server.answers = [endless]

    with pytest.raises(CallFailed) as failed:
        http.call("post", server.url, headers={}, body=b"value=5")

    assert failed.value.is_sent


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):  # until the other side hangs up
        for _ in range(2 * ANSWER_BYTES_MAX // 65536):
            connection.sendall(b"x" * 65536)


def test_a_redirection_is_an_answer_and_is_not_followed(http, server, answer):
    server.answers = [answer(b"", status=302, headers=f"Location: {server.url}/elsewhere\r\n")]

    got = http.call("post", server.url, headers={}, body=b"value=5")

    assert got.status == 302
    assert len(server.asked) == 1


def test_headers_are_those_of_the_answer_and_not_of_the_one_before_it(http, server, answer):
    interim = b"HTTP/1.1 100 Continue\r\nRequest-Id: req_interim\r\n\r\n"
    server.answers = [interim + answer(b"{}")]

    assert http.call("post", server.url, headers={}, body=b"value=5").headers["request-id"] == "req_1"

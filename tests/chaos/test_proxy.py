"""A wire passes on what it is not asked to hurt, and hurts what it is asked to, once."""

import socket
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chaos.proxy import Wires


@pytest.fixture
def wire(valkey_url):
    with Wires() as wires:
        yield wires.open(valkey_url)


@pytest.fixture
def hurt(wire):
    with redis.Redis.from_url(wire.url, retry=Retry(NoBackoff(), 0)) as connection:
        yield connection


@pytest.fixture
def beside(valkey_url):
    with redis.Redis.from_url(valkey_url) as connection:
        yield connection


def test_a_wire_passes_on_what_is_said_and_answered(hurt, beside):
    hurt.set("a", "x" * 200_000)
    assert hurt.get("a") == beside.get("a")


def test_a_request_whose_reply_is_lost_was_executed_all_the_same(wire, hurt, beside):
    wire.lose_reply(b"LPUSH")
    with pytest.raises(redis.ConnectionError):
        hurt.lpush("queue", "row")
    assert (beside.llen("queue"), wire.lost[b"LPUSH"]) == (1, 1)


def test_other_replies_are_not_lost_and_one_is_lost_once(wire, hurt):
    wire.lose_reply(b"LPUSH")
    hurt.set("a", 1)
    with pytest.raises(redis.ConnectionError):
        hurt.lpush("queue", "row")
    assert hurt.lpush("queue", "row") == 2


def test_a_reply_that_never_came_is_not_counted_as_lost_and_the_next_one_is_lost(wire, hurt):
    wire.lose_reply(b"LPUSH")
    with socket.create_connection(("127.0.0.1", urlsplit(wire.url).port), timeout=5) as line:
        line.sendall(b"CLIENT REPLY OFF\r\nLPUSH queue row\r\n")
        line.shutdown(socket.SHUT_WR)
        line.recv(1)
    with pytest.raises(redis.ConnectionError):
        hurt.lpush("queue", "row")
    assert wire.lost[b"LPUSH"] == 1


def test_a_cut_ends_every_connection(wire, hurt):
    with socket.create_connection(("127.0.0.1", urlsplit(wire.url).port), timeout=5) as line:
        line.sendall(b"PING\r\n")
        line.recv(100)
        wire.cut()
        rest = line.recv(1)
    assert (rest, wire.cuts, hurt.ping()) == (b"", 1, True)


def test_a_healed_wire_loses_nothing_more(wire, hurt):
    wire.lose_reply(b"LPUSH", times=5)
    wire.heal()
    assert hurt.lpush("queue", "row") == 1


def test_nothing_gets_through_a_wire_that_stands_still(wire, valkey_url):
    wire.stand_still(60)
    connection = redis.Redis.from_url(wire.url, retry=Retry(NoBackoff(), 0), socket_timeout=0.2)
    with pytest.raises(redis.TimeoutError), connection:
        connection.ping()

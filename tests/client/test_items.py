"""An item stands in exactly one place: in the queue, among the unacked, or among the garbled."""

from collections.abc import Iterator

import fakeredis
import pytest

from meterpost.items import Depth, ItemQueues, PushRefused

Q = "meterpost.usage"


@pytest.fixture
def server() -> Iterator[fakeredis.FakeStrictRedis]:
    with fakeredis.FakeStrictRedis() as client:
        yield client


@pytest.fixture
def items(server: fakeredis.FakeStrictRedis) -> ItemQueues:
    return ItemQueues(server)


def _contents(items: ItemQueues) -> list[bytes]:
    return [item for _, item in items.claim(Q, items_max=100)]


def test_items_are_claimed_in_the_order_they_were_pushed(items: ItemQueues) -> None:
    items.push(Q, ["1", "2"])
    items.push(Q, ["3"])
    assert _contents(items) == [b"1", b"2", b"3"]


def test_a_claim_takes_no_more_than_asked_and_removes_nothing(items: ItemQueues) -> None:
    items.push(Q, ["1", "2", "3"])
    items.claim(Q, items_max=2)
    assert items.depth(Q) == Depth(waiting=1, unacked=2, garbled=0, oldest_item=b"3")


def test_what_is_acknowledged_is_gone(items: ItemQueues) -> None:
    items.push(Q, ["1"])
    [(tag, _)] = items.claim(Q, items_max=1)
    items.forget(Q, [tag])
    items.restore_expired(Q, visibility_timeout_s=0)
    assert items.depth(Q) == Depth(waiting=0, unacked=0, garbled=0, oldest_item=None)


def test_what_is_given_back_comes_next_in_its_order_and_marked(items: ItemQueues) -> None:
    items.push(Q, ["1", "2", "3"])
    items.give_back(Q, [tag for tag, _ in items.claim(Q, items_max=2)])
    assert _contents(items) == [b"\x1eredelivered\x1e1", b"\x1eredelivered\x1e2", b"3"]


def test_an_item_restored_twice_is_marked_once(items: ItemQueues) -> None:
    items.push(Q, ["1"])
    items.give_back(Q, [tag for tag, _ in items.claim(Q, items_max=1)])
    items.give_back(Q, [tag for tag, _ in items.claim(Q, items_max=1)])
    assert _contents(items) == [b"\x1eredelivered\x1e1"]


def test_only_expired_claims_are_restored(items: ItemQueues) -> None:
    items.push(Q, ["1"])
    items.claim(Q, items_max=1)
    items.restore_expired(Q, visibility_timeout_s=60)
    assert items.depth(Q).unacked == 1


def test_a_late_acknowledgement_does_not_remove_the_second_delivery(items: ItemQueues) -> None:
    items.push(Q, ["1"])
    [(late, _)] = items.claim(Q, items_max=1)
    items.restore_expired(Q, visibility_timeout_s=0)
    items.claim(Q, items_max=1)
    items.forget(Q, [late])
    assert items.depth(Q).unacked == 1


def test_two_items_of_the_same_content_are_two(items: ItemQueues) -> None:
    items.push(Q, ["same", "same"])
    items.claim(Q, items_max=2)
    assert items.depth(Q).unacked == 2


def test_an_item_set_aside_keeps_every_byte(items: ItemQueues, server: fakeredis.FakeStrictRedis) -> None:
    server.lpush(Q, bytes(range(256)))
    [(tag, item)] = items.claim(Q, items_max=1)
    items.set_aside(Q, [(tag, item)])
    assert items.depth(Q) == Depth(waiting=0, unacked=0, garbled=1, oldest_item=None)
    assert server.lrange(f"{Q}.garbled", 0, -1) == [bytes(range(256))]


def test_an_item_set_aside_twice_stands_there_once(items: ItemQueues) -> None:
    items.push(Q, ["{"])
    [(tag, item)] = items.claim(Q, items_max=1)
    items.set_aside(Q, [(tag, item)])
    items.set_aside(Q, [(tag, item)])
    assert items.depth(Q).garbled == 1


def test_every_key_carries_the_prefix(server: fakeredis.FakeStrictRedis) -> None:
    items = ItemQueues(server, prefix="team:")
    items.push(Q, ["1", "2", "{"])
    items.set_aside(Q, items.claim(Q, items_max=1))
    items.claim(Q, items_max=1)
    names = {key.decode() for key in server.keys()}  # noqa: SIM118 (Redis' command)
    assert names == {f"team:{Q}{end}" for end in ("", ".unacked", ".unacked_index", ".garbled")}


def test_a_push_without_a_length_in_the_answer_is_refused(
    items: ItemQueues, server: fakeredis.FakeStrictRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "lpush", lambda *_: 0)
    with pytest.raises(PushRefused, match="Redis answered 0"):
        items.push(Q, ["1"])

"""Ten thousand items that nobody meant to write: each is a message or garbled, and none is missing.

Every byte is kept, but for a forged mark of a redelivery at an item's beginning, which says nothing but that.
"""

import json
import random
from collections import Counter
from typing import Any

from meterpost.envelope import REDELIVERED_MARK

SEED, ITEMS, CHUNK = 20_261_121, 10_000, 1_000
CORPUS = [
    json.dumps(
        {
            "body": "eyJzY2hlbWEiOiJ1c2FnZS4xIn0=",
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {},
            "properties": {"delivery_tag": "forged", "body_encoding": "base64", "delivery_info": {"routing_key": "x"}},
        }
    ).encode(),
    b'{"body": "{}", "content-type": "application/x-python-serialize", "headers": {}, "properties": {}}',
    b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.",
    b"\x1eredelivered\x1e{}",
    b"[" * 200,
    "\ud800".encode(errors="surrogatepass"),
    b"",
]


def _mutated(chance: random.Random) -> bytes:
    """One of the corpus with bytes changed, cut out, doubled, or with a piece of another in it."""
    item = bytearray(chance.choice(CORPUS))
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(item) + 1)
        match chance.randrange(4):
            case 0:
                item[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del item[at : at + chance.randrange(1, 9)]
            case 2:
                item[at:at] = item[at : at + 9]
            case _:
                item[at:at] = chance.choice(CORPUS)[:20]
    return bytes(item)


def _unmarked(item: bytes) -> bytes:
    while item.startswith(REDELIVERED_MARK):
        item = item.removeprefix(REDELIVERED_MARK)
    return item


def test_of_ten_thousand_items_each_is_a_message_or_garbled_and_every_byte_is_kept(queue: Any) -> None:
    chance = random.Random(SEED)
    items = [_mutated(chance) for _ in range(ITEMS)]
    for start in range(0, ITEMS, CHUNK):
        queue.put_garbled(*items[start : start + CHUNK])

    consumer = queue.consumer(prefetch_messages=CHUNK)
    claimed = queue.claim_until(consumer, messages=ITEMS)

    garbled = Counter(message.body for message in claimed if message.is_garbled)
    sent = Counter(_unmarked(item) for item in items)
    assert (len(claimed), consumer.depth().unacked) == (ITEMS, 0)
    assert garbled - sent == Counter()
    assert garbled.total() + sum(not message.is_garbled for message in claimed) == ITEMS

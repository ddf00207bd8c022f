"""A producer as an application is one: publishes the batches it is asked for until the queue has confirmed them.

`python -m chaos.producer LOAD`, with BROKER_URL set. A line on stdin is the number of a batch to publish; a line on
stdout says that this batch is safe, by which alone it counts as told. It may be killed anywhere: whoever starts it
again asks for the same batches, which have the same row ids.
"""

import json
import os
import sys

from chaos.load import Load
from local.parent import end_with_parent
from meterpost import Meterpost, NotPublished
from meterpost.publisher import Publisher

TRIES_MAX = 60  # of a batch, five seconds each: longer than any server stays down


def main() -> None:
    end_with_parent()
    load = Load.of(json.loads(sys.argv[1]))
    broker_url = os.environ["BROKER_URL"]
    publisher = Publisher(broker_url)
    with Meterpost(broker_url) as client:
        for line in sys.stdin:
            _publish(load, int(line), client=client, publisher=publisher)
            sys.stdout.write(line)
            sys.stdout.flush()


def _publish(load: Load, batch: int, *, client: Meterpost, publisher: Publisher) -> None:
    bad = load.bad_message(batch)
    for _ in range(TRIES_MAX):
        try:
            client.publish_many(load.rows(batch))
        except NotPublished:
            continue
        if bad is None or publisher.publish([bad]) is None:
            return
    sys.exit(f"batch {batch} was not confirmed in {TRIES_MAX} tries")


if __name__ == "__main__":
    main()

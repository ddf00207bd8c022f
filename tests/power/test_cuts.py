"""Whose acknowledgement outlives a power cut, and whose does not."""

from pathlib import Path

import redis

from chaos.power.__main__ import verdict
from chaos.power.cut import Powered, cut
from chaos.power.run import Plan, Tally, play
from chaos.power.servers import valkey_on_disk


def _push(powered: Powered, rows: int) -> None:
    with redis.Redis.from_url(powered.server.url) as queues:
        queues.rpush("rows", *range(rows))


def _rows(powered: Powered) -> int:
    with redis.Redis.from_url(powered.server.url) as queues:
        return int(queues.llen("rows"))


def test_a_queue_that_syncs_always_keeps_what_it_acknowledged(tmp_path: Path, library: Path) -> None:
    with valkey_on_disk(tmp_path, library, changed={}) as powered:
        _push(powered, 100)
        cut([powered], None)
        assert _rows(powered) == 100


def test_a_queue_that_syncs_by_the_operating_system_loses_what_it_acknowledged(tmp_path: Path, library: Path) -> None:
    with valkey_on_disk(tmp_path, library, changed={"appendfsync": "no"}) as powered:
        _push(powered, 100)
        cut([powered], None)
        assert _rows(powered) == 0


def test_no_acknowledged_row_is_lost_with_the_ledger() -> None:
    tally = play(Plan(cuts=1, seed=7, which=(("postgres",),), standstill_share=0))
    assert tally.acknowledged > 0
    assert (tally.lost, tally.extra, tally.wrong) == (0, 0, ())


def test_a_control_that_loses_nothing_is_a_failure() -> None:
    whole = Tally(servers=(), offered=9, acknowledged=9, recorded=9, lost=0, extra=0, wrong=(), seconds=1)
    assert verdict({"ours": whole, "appendfsync everysec": whole}) == [
        "appendfsync everysec lost nothing, as a control must: the shim is blind"
    ]

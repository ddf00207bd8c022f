"""The door under 20,000 requests of strangers, of which 600 are written to the deployed door's socket."""

import pytest

from chaos.door.run import growth_mb, run

REQUESTS = 20_000


@pytest.fixture(scope="module")
def found(empty_ledgers, tmp_path_factory):
    url = empty_ledgers.take()
    log = tmp_path_factory.mktemp("door") / "door.log"
    yield run(url, requests=REQUESTS, seed=5, log=log, tell=lambda _: None)
    empty_ledgers.give_back(url)


def test_a_door_holds_under_whatever_strangers_send(found):
    assert found.wrongs() == []


def test_the_requests_reached_every_kind_of_answer(found):
    assert {200, 400, 404, 405, 413, 414, 431} <= found.statuses.keys()


def test_what_was_signed_was_recorded_and_nothing_else(found):
    assert found.deliveries == found.statuses[200] > found.events > 0


@pytest.mark.parametrize(("levels", "by"), [([], 0), ([5.0, 5.0], 0), ([9.0, 5.0, 7.0, 8.0], -1), ([5.0, 6.0], 1)])
def test_memory_is_judged_by_its_second_half(levels, by):
    assert growth_mb(levels) == by

"""What remembers the newest call outside of the ledger."""

import json

import pytest
import redis

from service.witness import FileWitness, RedisWitness, Witness, WitnessUnreadable

OLDER = Witness(attempt_id=9, idempotency_key="nine", at="2026-03-01T00:00:00+00:00")
NEWER = Witness(attempt_id=10, idempotency_key="ten", at="2026-03-01T00:00:01+00:00")


@pytest.fixture
def in_redis(valkey_url):
    with redis.Redis.from_url(valkey_url) as connection:
        yield RedisWitness(connection, "acct_1", is_live=False)


@pytest.fixture
def in_file(tmp_path):
    return FileWitness(tmp_path / "witness.json")


@pytest.mark.parametrize("place", ["in_redis", "in_file"])
def test_an_older_one_never_takes_the_place_of_a_newer(place, request):
    kept = request.getfixturevalue(place)
    for witness in (NEWER, OLDER):
        kept.keep(witness)
        kept.settle()
    assert kept.read() == NEWER


@pytest.mark.parametrize("place", ["in_redis", "in_file"])
def test_nothing_is_remembered_at_first(place, request):
    assert request.getfixturevalue(place).read() is None


def test_a_file_is_written_once_in_a_while_and_at_the_end_of_a_drain(in_file):
    in_file.keep(OLDER)
    in_file.keep(NEWER)
    at_once = in_file.read()
    in_file.settle()
    assert (at_once, in_file.read()) == (OLDER, NEWER)


def test_another_process_that_kept_a_newer_one_is_not_overwritten(in_file, tmp_path):
    another = FileWitness(tmp_path / "witness.json")
    another.keep(NEWER)
    in_file.keep(OLDER)
    in_file.settle()
    assert in_file.read() == NEWER


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"attempt_id": 1})])
def test_a_file_that_is_no_witness_is_refused(in_file, tmp_path, text):
    (tmp_path / "witness.json").write_text(text)
    with pytest.raises(WitnessUnreadable, match="METERPOST_WITNESS_FILE"):
        in_file.read()


def test_a_file_whose_directory_is_missing_is_refused_before_any_call(tmp_path):
    with pytest.raises(WitnessUnreadable, match="its directory is not there"):
        FileWitness(tmp_path / "missing" / "witness.json").read()


def test_a_directory_is_no_witness_file(tmp_path):
    with pytest.raises(WitnessUnreadable, match=r"Is a directory; name a file"):
        FileWitness(tmp_path).read()

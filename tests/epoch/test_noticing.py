"""A ledger that was put back to an earlier time is noticed, whoever meets it, and nothing is sent from it."""

import pytest
from redis.exceptions import RedisError

from chaos.restores.place import opened
from service.epoch import Guard
from service.timing import FAST


def sent_and_forgotten(works, *, is_started_anew=False, is_flushed=False):
    """A call is made that the ledger then forgets."""
    works.sends("r1", 7)
    works.place.walk()
    works.server.keep()
    works.sends("r2", 5, minute=10)
    works.place.walk()
    if is_flushed:
        works.flush()
    works.forgets(is_started_anew=is_started_anew)
    works.place.walk()


@pytest.mark.parametrize("is_started_anew", [False, True], ids=["by who runs on", "by who starts"])
def test_a_ledger_that_forgot_a_call_is_noticed(works, is_started_anew):
    sent_and_forgotten(works, is_started_anew=is_started_anew)
    assert works.place.waits_for_person()


def test_a_server_whose_files_were_put_back_is_noticed(works_on_files):
    sent_and_forgotten(works_on_files)
    assert works_on_files.place.waits_for_person()


def test_the_file_tells_of_it_when_redis_has_forgotten(works_with_file):
    sent_and_forgotten(works_with_file, is_flushed=True)
    assert works_with_file.place.waits_for_person()


def test_another_server_or_timeline_is_noticed_without_any_witness(works):
    works.sends("r1", 7)
    works.place.write("INSERT INTO epoch (server, cause, confirmed_at) VALUES ('other/1', 'a test', ledger_now())")
    works.place.walk()
    assert works.place.waits_for_person()
    assert works.place.calls() == 0


def test_a_new_ledger_on_an_account_that_was_told_of_calls_is_noticed(works):
    works.server.keep()  # with nothing in it yet
    sent = works.place.calls
    works.sends("r1", 7)
    works.place.walk()
    works.forgets()
    works.place.walk()
    assert works.place.waits_for_person()
    assert sent() == 1


def test_nothing_is_sent_or_sealed_and_rows_are_recorded_until_a_person_confirms(works):
    sent_and_forgotten(works)
    before = works.place.calls()
    works.sends("r3", 3, minute=20)
    works.place.walk()
    assert works.place.calls() == before
    assert works.place.ask("SELECT row_id, meter_event_id FROM entry WHERE meter_event_id IS NULL") == [("r3", None)]
    assert works.place.ask("SELECT count(*) FROM meter_event WHERE state = 'sealed'") == [(0,)]


def test_a_sender_in_the_middle_of_its_turn_stops_when_another_notices(works):
    works.sends("r1", 7)
    works.place.seal()
    works.place.write("INSERT INTO epoch (cause, gap_from) VALUES ('another noticed', ledger_now())")
    works.place.submitter.drain("default", 0)
    assert works.place.calls() == 0


@pytest.mark.parametrize("happens", ["start", "flush", "idle"])
def test_what_is_no_restore_is_not_taken_for_one(works, happens):
    works.sends("r1", 7)
    works.place.walk()
    {"start": works.open, "flush": works.flush, "idle": works.place.walk}[happens]()
    works.sends("r2", 5, minute=10)
    works.place.walk()
    assert works.counts() == 12


def test_a_crash_that_postgresql_recovers_from_is_no_restore(works_on_files):
    works_on_files.sends("r1", 7)
    works_on_files.place.walk()
    works_on_files.place.write("CHECKPOINT")  # this server does not sync what it commits
    works_on_files.server.restart()
    works_on_files.sends("r2", 5, minute=10)
    works_on_files.place.walk()
    assert works_on_files.counts() == 12


def test_a_confirmed_restore_is_not_noticed_again(works):
    sent_and_forgotten(works)
    works.confirms()
    works.sends("r3", 3, minute=90)
    works.place.walk()
    with opened() as another:
        another.walk()
    assert works.place.ask("SELECT count(*) FROM epoch") == [(2,)]
    assert works.counts() == 7 + 5 + 3


def test_the_same_copy_put_back_a_second_time_is_noticed_again(works):
    sent_and_forgotten(works)
    works.confirms()
    works.sends("r3", 3, minute=90)
    works.place.walk()
    works.forgets()
    works.place.walk()
    assert works.place.waits_for_person()


class Away:
    """A place for witnesses that breaks as soon as one is to be kept."""

    def read(self):
        return None

    def keep(self, witness):
        raise RedisError(f"nobody keeps {witness}")

    def settle(self):
        """Nothing was kept."""


def test_no_call_is_made_of_which_no_witness_can_be_kept(works):
    works.sends("r1", 7)
    works.place.seal()
    works.place.submitter._guard = Guard(works.place.ledger, [Away()])
    works.place.submitter._timing = FAST  # which lets a lane rest: a drain ends when it has come to nothing
    works.place.submitter.drain("default", 0)
    assert works.place.calls() == 0
    assert set(works.place.ask("SELECT detail FROM attempt")) == {("no witness of the call could be kept",)}

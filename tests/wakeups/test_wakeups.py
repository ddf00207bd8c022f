"""Step 3's doorbell: lost, doubled, stale and forged wake-ups are harmless."""

import json
import pickle
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest
from rq.serializers import DefaultSerializer

from service.wakeups import WakeUps, WakeUpWorker

WEBHOOK = json.dumps([{"url": "http://127.0.0.1:1/", "job_status": "failed"}]).encode()
UNREADABLE = {
    "a list of workers that is none": {"enqueued_at": b"\x80"},
    "a date that is none": {"created_at": b"yesterday"},
    "bytes that are no text": {"origin": b"\xff\xfe"},
    "a timeout that is none": {"timeout": b"soon"},
    "data that is no JSON": {"data": b"\x80\x04\x95"},
    "data of another shape": {"data": b'{"a": 1}'},
}


def test_a_bell_is_queued_once_however_often_it_is_rung(bells):
    wanted = [("default", 0), ("default", 1)]

    assert [bells.ring(wanted), bells.ring(wanted)] == [2, 0]

    assert bells.waiting() == 2


def test_a_bell_that_was_answered_can_ring_again(bells, answer_all, answered):
    for _ in range(2):
        bells.ring([("default", 0)])
        answer_all()

    assert answered == [("default", 0)] * 2


def test_bells_that_were_lost_with_all_of_redis_ring_again(bells, answer_all, answered, connection):
    bells.ring([("default", 0)])
    connection.flushall()

    assert bells.ring([("default", 0)]) == 1

    answer_all()
    assert answered == [("default", 0)]


def test_a_job_that_names_a_program_is_refused_and_not_run(forge, bells, answer_all, answered, tmp_path):
    proof = tmp_path / "proof"
    forge("os.system", f"touch {proof}")
    bells.ring([("default", 0)])

    answer_all()

    assert not proof.exists()
    assert answered == [("default", 0)]


def test_a_pickled_job_is_refused_and_not_run(forge, bells, answer_all, answered, tmp_path):
    proof = tmp_path / "proof"
    forge("os.system", f"touch {proof}", serializer=DefaultSerializer)
    bells.ring([("default", 0)])

    answer_all()

    assert not proof.exists()
    assert answered == [("default", 0)]


def test_a_pickled_meta_is_not_unpickled(forge, answer_all, tmp_path):
    proof = tmp_path / "proof"
    forge(meta=pickle.dumps(Opener(str(proof))))

    answer_all()

    assert not proof.exists()


class Opener:
    """Opens a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["success_callback_name", "failure_callback_name", "stopped_callback_name"])
@pytest.mark.parametrize("call", ["submit", "os.getcwd"])
def test_a_jobs_callback_is_dropped(forge, answer_all, monkeypatch, name, call):
    called = []
    monkeypatch.setitem(sys.modules, "forged", SimpleNamespace(callback=lambda *told: called.append(told)))
    forge(call, **{name: b"forged.callback", name.replace("_name", "_timeout"): b"5"})

    answer_all()

    assert called == []


def test_a_jobs_webhook_is_dropped(forge, bells, connection):
    job = bells.queue.job_class.fetch(forge(webhooks=WEBHOOK), connection, serializer=bells.queue.serializer)

    assert job.webhooks == []


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_job_that_cannot_be_read_is_passed_over_and_the_next_is_answered(forge, bells, answer_all, answered, name):
    forge(**UNREADABLE[name])
    bells.ring([("default", 0)])

    answer_all()

    assert answered == [("default", 0)]


def test_an_id_that_is_no_text_stops_neither_the_bell_nor_the_one_who_answers(bells, connection, answer_all, answered):
    connection.rpush(bells.queue.key, b"\xff\xfe\x00")

    assert bells.ring([("default", 0)]) == 1

    answer_all()
    assert answered == [("default", 0)]


def test_an_id_without_a_job_is_passed_over(bells, connection, answer_all, answered):
    connection.rpush(bells.queue.key, "submit-default-0-gone")
    bells.ring([("default", 1)])

    answer_all()

    assert answered == [("default", 1)]


def test_arguments_that_do_not_fit_end_the_job_and_not_the_worker(forge, bells, answer_all, answered):
    forge("submit", {"deep": [1]})
    bells.ring([("default", 0)])

    answer_all()

    assert answered == [({"deep": [1]},), ("default", 0)]


def test_a_failing_step_ends_its_job_and_not_the_worker(bells):
    told = []

    def submit(account: str, bell: int) -> None:
        told.append((account, bell))
        raise ConnectionError("the ledger is away")

    bells.ring([("default", 0), ("default", 1)])
    worker = WakeUpWorker(bells, {"submit": submit}, stopping=threading.Event())
    worker._install_signal_handlers = lambda: None
    worker.work(burst=True, logging_level="CRITICAL")

    assert told == [("default", 0), ("default", 1)]


def test_two_steps_have_queues_of_their_own(bells, connection):
    other = WakeUps(connection, "apply", timing=bells._timing)
    bells.ring([("default", 0)])

    assert (bells.waiting(), other.waiting()) == (1, 0)


def test_a_request_to_stop_tells_the_step_that_runs(bells):
    stopping = threading.Event()
    worker = WakeUpWorker(bells, {}, stopping=stopping)

    with suppress(BaseException):  # RQ's own way to leave its loop
        worker.request_stop(15, None)

    assert stopping.is_set()

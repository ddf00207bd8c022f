"""A person's pause: recording and sealing go on, nothing is sent, and what was under way comes to its end."""

from service.gateway import Gateway
from service.ledger import lanes
from service.ledger.actions import Order
from service.ledger.pauses import ALL_METERS, pause, resume

ORDER = Order(actor="ada", reason="a test")


def test_of_a_paused_account_nothing_is_sent_and_everything_recorded_and_sealed(path):
    set_pause(path)
    path.sealed(1, 2)

    path.send()

    assert path.states() == {"sealed": 2}
    assert path.calls() == []


def test_a_paused_meter_holds_up_no_other(path):
    set_pause(path, meter="tokens")
    path.sealed(1, meter="tokens")
    path.sealed(2, meter="exports")

    path.send()

    assert path.ask("SELECT value, state FROM meter_event ORDER BY value") == [(1, "sealed"), (2, "accepted")]


def test_what_waited_is_sent_once_resumed(path):
    set_pause(path)
    customer = path.sealed(5)
    path.send()
    end_pause(path)

    path.walk()

    assert path.counted() == {(customer, "tokens"): "5"}
    assert path.states() == {"confirmed": 1}


def test_no_worker_is_woken_for_what_is_paused(path):
    path.sealed(1)
    set_pause(path)

    with path.ledger.transaction() as tx:
        assert lanes.due_lanes(tx) == []


def test_a_call_under_way_comes_to_its_end_and_the_lane_opens_no_other(path):
    customer = path.sealed(1, 2)
    submitter = path.another_submitter(gateway=GatewayThatPauses(path))

    submitter.turn(path.lease())

    assert path.ask("SELECT value, state FROM meter_event ORDER BY value") == [(1, "accepted"), (2, "sealed")]
    assert path.counted() == {(customer, "tokens"): "1"}


def set_pause(path, meter=ALL_METERS):
    with path.ledger.transaction() as tx:
        assert pause(tx, "default", meter, order=ORDER)


def end_pause(path, meter=ALL_METERS):
    with path.ledger.transaction() as tx:
        assert resume(tx, "default", meter, order=ORDER)


class GatewayThatPauses(Gateway):
    """Somebody pauses the account while a call is being made."""

    def __init__(self, path):
        super().__init__(path.settings)
        self._path = path

    def send_meter_event(self, event_name, **told):
        answer = super().send_meter_event(event_name, **told)
        set_pause(self._path)
        return answer

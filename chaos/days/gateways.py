"""Processes that die or freeze in the middle of a call, in one process: their gateway does it for them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from service.gateway import Gateway
from service.outcomes import Answer
from service.settings import Settings

THAW_TIMEOUT_S = 3600  # of ours; the frozen one is thawed at the end at the latest


class Killed(BaseException):
    """The process is gone: nothing that it would have done after this happens."""


class DyingGateway(Gateway):
    """Goes on for some calls, and then the process is killed, before or after the next one."""

    def __init__(self, settings: Settings, *, calls_before: int, is_called: bool) -> None:
        super().__init__(settings)
        self._calls_left = calls_before
        self._is_called = is_called

    def send_meter_event(self, event_name: str, **told: Any) -> Answer:
        self._calls_left -= 1
        if self._calls_left >= 0:
            return super().send_meter_event(event_name, **told)
        if self._is_called:
            super().send_meter_event(event_name, **told)
        raise Killed


@dataclass(slots=True)
class Ice:
    """What holds a frozen process: `reached` once it stands, `melted` when it may go on."""

    identifier: str = ""  # of the call in which it stands
    reached: threading.Event = field(default_factory=threading.Event)
    melted: threading.Event = field(default_factory=threading.Event)

    def hold(self, identifier: str) -> None:
        self.identifier = identifier
        self.reached.set()
        assert self.melted.wait(THAW_TIMEOUT_S), "every frozen process is thawed"


class FreezingGateway(Gateway):
    """Freezes once, at the first call that is chosen by its identifier: before it is made, or before it is heard."""

    def __init__(self, settings: Settings, ice: Ice, *, is_called: bool, is_chosen: Callable[[str], bool]) -> None:
        super().__init__(settings)
        self._ice = ice
        self._is_called = is_called
        self._is_chosen = is_chosen

    def send_meter_event(self, event_name: str, **told: Any) -> Answer:
        identifier = str(told["identifier"])
        if self._ice.reached.is_set() or not self._is_chosen(identifier):
            return super().send_meter_event(event_name, **told)
        if not self._is_called:
            self._ice.hold(identifier)
            return super().send_meter_event(event_name, **told)
        answer = super().send_meter_event(event_name, **told)
        self._ice.hold(identifier)
        return answer

"""What a scenario plays of alarms: usage that nobody bills is raised and told, and somebody dies at it."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chaos.crashes.place import LEASE_IS_OVER, TIMING, Place, asked_again
from service.alarm_calls import Receiver
from service.alarms import KINDS
from workers._posting import Poster
from workers._watching import Watcher

ASKED_AT_ONCE = replace(TIMING, watch_s=0)
PASSES = 2  # the second finds what the first could not commit


class _Door(BaseHTTPRequestHandler):
    """Takes every alarm."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """A case's log is its processes' own."""


def watch_and_post(place: Place) -> None:
    """As `reconcile` does beside its own step, one after the other."""
    place.walk()
    place.pass_time(LEASE_IS_OVER)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    told = replace(place.setup.settings, alarm_url=url, alarm_secret="a-case-of-crashes-alone")  # noqa: S106 — of a case
    unbilled = [kind for kind in KINDS if kind.name == "unbilled"]
    gateway = place.setup.gateway
    watcher = Watcher(place.ledger, gateway, "default", timing=ASKED_AT_ONCE, kinds=unbilled, is_posting=True)
    poster = Poster(place.ledger, Receiver(told), "default", timing=ASKED_AT_ONCE)
    for _ in range(PASSES):
        asked_again(watcher.watch_due)
        asked_again(poster.post_due)
    server.shutdown()
    server.server_close()

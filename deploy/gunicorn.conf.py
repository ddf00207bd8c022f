# ruff: noqa: INP001 - a file of settings, not a module of a package
"""How gunicorn serves the webhook door: few small requests, each answered after one commit.

Stripe sends from the open internet, so every size is bounded here and the body in the application. TLS and slow clients
belong to a proxy in front; without one, a client may hold a thread for KEEPALIVE_S or TIMEOUT_S at most.
"""

import os

from gunicorn.config import Config
from gunicorn.glogging import Logger

from service.logs import configure


class OneFormat(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """Sends gunicorn's own lines the way of all others, from the first one and after every reload."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        configure(
            process="web",
            log_format=os.environ.get("METERPOST_LOG_FORMAT", "auto"),
            log_level=os.environ.get("METERPOST_LOG_LEVEL", "info"),
        )


bind = f"{os.environ.get('WEB_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
proc_name = "meterpost-web"

# Threads, because a request waits for PostgreSQL; two workers, so that one may die or restart unnoticed.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4

# A Stripe request has a short path and a dozen fields; its signature grows with each secret being rolled.
limit_request_line = 2048
limit_request_fields = 50
limit_request_field_size = 8190

timeout = 15  # a worker that is silent for so long is replaced
graceful_timeout = 15  # on SIGTERM: what was accepted is committed and answered; below the units' stop time
keepalive = 5  # Stripe and proxies reuse connections for a burst of events

# Against slow leaks; the jitter keeps the workers from leaving together.
max_requests = 20_000
max_requests_jitter = 2_000

control_socket_disable = True  # it would write below HOME, which is read-only in a container
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108 - heartbeats off the disk

logger_class = OneFormat
accesslog = None  # the application says what it received, with ids and without bodies

"""Questions to a ledger whose server may be down at the moment: asked again until it answers."""

import threading
import time
from typing import Any

import psycopg

PATIENCE_S = 60  # longer than any crash recovery of a run
POLL_S = 0.1


def ask_ledger(database_url: str, question: str, *parameters: object) -> list[Any]:
    """The answer's rows. Raises psycopg.OperationalError when the server stays away."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with psycopg.connect(database_url, autocommit=True) as ledger:
                return ledger.execute(question.encode(), parameters).fetchall()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            threading.Event().wait(POLL_S)

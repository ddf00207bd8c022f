"""What the exit codes say, and which failures a user is to expect.

An expected failure is a sentence that says what happened, why and what to do, never a traceback. They are named here by
their path and not imported: reading a help text must not wait for the libraries behind every command.
"""

from collections.abc import Mapping

OK = 0
FAILURE = 1
USAGE = 2  # the command line or the settings
FINDINGS = 3  # it ran, and what it found needs attention: behind, drifted
INTERRUPTED = 130  # as shells report Ctrl-C

EXPECTED: Mapping[str, int] = {
    "cli.exits.Failed": FAILURE,
    "local.guarded.ServerError": FAILURE,
    "meterpost.errors.NotPublished": FAILURE,
    "meterpost.errors.RowRefused": FAILURE,
    "service.gateway.KeyRefused": FAILURE,
    "service.gateway.NotFound": FAILURE,
    "service.gateway.StripeRefused": FAILURE,
    "service.gateway.StripeUnavailable": FAILURE,
    "service.ledger.accounts.OtherAccount": USAGE,
    "service.ledger.connection.LedgerUnavailable": FAILURE,
    "service.ledger.corrections.RowTaken": FAILURE,
    "service.migrate.MigrationEdited": FAILURE,
    "service.queues.QueueUnavailable": FAILURE,
    "service.ratecard.card.CardRefused": FAILURE,
    "service.settings.SettingsInvalid": USAGE,
    "service.witness.WitnessUnreadable": FAILURE,
}


class Failed(Exception):
    """A command cannot do what was asked; the text says what happened, why and what to do."""


def exit_code(error: BaseException) -> int | None:
    """The exit code of a failure that a user is to expect, else None."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((EXPECTED[name] for name in names if name in EXPECTED), None)

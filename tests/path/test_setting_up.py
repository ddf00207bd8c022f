"""A step that starts while what it needs restarts waits for it."""

from service.ledger import LedgerUnavailable, accounts
from workers import _setup


def test_a_ledger_that_goes_away_while_a_step_starts_is_waited_for(path, monkeypatch):
    pin_account, away = accounts.pin_account, [LedgerUnavailable("it restarts")]

    def pin_later(*place, **key):
        if away:
            raise away.pop()
        return pin_account(*place, **key)

    monkeypatch.setattr(_setup, "PATIENCE_S", 0)
    monkeypatch.setattr(accounts, "pin_account", pin_later)

    _setup._pin(path.ledger, path.gateway, "default")

    assert away == []

"""Liveness and readiness, and starting without what a door needs."""

import pytest

from service import settings
from service.ledger import Ledger
from service.settings import SettingsInvalid
from webhooks.app import app_for, create_app


def test_a_door_with_everything_is_ready(door):
    answer = door.client.get("/ready")

    assert answer.status_code == 200
    assert answer.json == {"ready": True, "checks": {"ledger": "ok", "migrations": "ok", "webhook_secret": "ok"}}


def test_a_door_on_a_ledger_behind_its_migrations_is_not_ready(door):
    door.ask("DELETE FROM migration")

    answer = door.client.get("/ready")

    assert (answer.status_code, answer.json["checks"]["ledger"]) == (503, "ok")
    assert answer.json["checks"]["migrations"].startswith("behind: 0001_ledger")


def test_a_door_without_its_ledger_is_alive_but_not_ready(closed_door):
    live, ready = closed_door.get("/live"), closed_door.get("/ready")

    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json["checks"]["ledger"] == "unavailable"


def test_a_door_whose_secrets_have_all_ended_is_not_ready(environment, monkeypatch):
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_1@2020-01-01T00:00:00Z,whsec_2@2020-01-01T00:00:00+02:00")
    ledger = Ledger(environment["DATABASE_URL"])

    answer = app_for(settings.load(), ledger).test_client().get("/ready")
    ledger.close()

    assert (answer.status_code, answer.json["checks"]["webhook_secret"]) == (
        503,
        "none in force; set STRIPE_WEBHOOK_SECRETS",
    )


@pytest.mark.parametrize("missing", ["DATABASE_URL", "STRIPE_WEBHOOK_SECRETS"])
def test_a_door_without_its_ledger_s_address_or_any_secret_does_not_start(environment, monkeypatch, missing):
    monkeypatch.setenv(missing, "")

    with pytest.raises(SettingsInvalid, match=f"^{missing}[^\n]*$"):
        create_app()

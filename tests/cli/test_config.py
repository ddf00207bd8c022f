"""Every setting with its value and its source."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service import settings
from service.variables import VARIABLES

Command = Callable[..., Any]


def _of(ran: Any, name: str) -> dict[str, str]:
    (found,) = [one for one in ran.json["settings"] if one["name"] == name]
    return dict(found)


def test_every_variable_is_shown_with_what_it_means(command: Command) -> None:
    ran = command("config", "--json")

    assert [one["name"] for one in ran.json["settings"]] == [variable.name for variable in VARIABLES]
    assert all(one.keys() == {"name", "value", "source", "meaning"} for one in ran.json["settings"])


def test_secrets_are_masked(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_4eC39HqLyjWDarjtT1zdp7dc")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_c4n4ry1,whsec_c4n4ry2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:c4n4ry@db/meterpost")

    ran = command("config", "--json")

    assert _of(ran, "STRIPE_SECRET_KEY")["value"] == "sk_test_…p7dc"
    assert "c4n4ry" not in ran.out


@pytest.mark.parametrize("told", ["48", "0", "3600s", "59m", "8d", "h", "-1h", "1.5h", "٤٨h", ""])
def test_a_hold_without_a_unit_or_too_short_to_hold_anything_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setenv("METERPOST_HOLD_DRAFTS", told)

    ran = command("config")

    assert ran.code == 2
    assert "METERPOST_HOLD_DRAFTS: " in ran.err
    assert "a time with its unit from 1h to 7d" in ran.err


@pytest.mark.parametrize(("told", "hold_s"), [("off", 0), ("60m", 3600), ("48h", 172_800), ("7d", 604_800)])
def test_a_hold_is_a_time_with_its_unit(monkeypatch: pytest.MonkeyPatch, told: str, hold_s: int) -> None:
    monkeypatch.setenv("METERPOST_HOLD_DRAFTS", told)
    assert settings.load().hold_drafts_s == hold_s


def test_the_environment_and_the_default_are_told_apart(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERPOST_TIMING", "fast")

    ran = command("config", "--json")

    assert _of(ran, "METERPOST_TIMING") | {"meaning": ""} == {
        "name": "METERPOST_TIMING", "value": "fast", "source": "environment", "meaning": "",
    }  # fmt: skip
    assert _of(ran, "METERPOST_SUBMIT_THREADS")["source"] == "default"


def test_what_the_dot_env_file_says_is_named_as_its_word(bare: Path) -> None:
    (bare / ".env").write_text("METERPOST_TIMING=fast\n")
    program = "from cli.main import main; main()"

    ran = subprocess.run([sys.executable, "-c", program, "config"], capture_output=True, text=True, check=True)

    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("METERPOST_TIMING ")]
    assert line.split()[1:3] == ["fast", ".env"]


def test_the_example_decides_nothing(command: Command) -> None:
    example = command("config", "--example").out

    assert all(line.startswith("#") for line in example.splitlines() if line)
    assert all(f"#{variable.name}=" in example for variable in VARIABLES)


def test_all_wrong_variables_are_named_at_once(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERPOST_SUBMIT_THREADS", "many")
    monkeypatch.setenv("DATABASE_URL", "mysql://db")

    ran = command("config")

    assert ran.code == 2
    assert "METERPOST_SUBMIT_THREADS" in ran.err
    assert "DATABASE_URL" in ran.err


def test_a_misspelt_setting_is_an_error_with_the_nearest_name(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERPOST_TIMIN", "fast")

    assert "did you mean METERPOST_TIMING?" in command("config").err


def test_the_mode_of_a_key_is_read_from_its_name(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "rk_live_x")

    assert settings.load().is_live_key


def test_what_a_command_needs_and_has_not_is_named_all_at_once(bare: Path) -> None:
    with pytest.raises(settings.SettingsInvalid, match=r"DATABASE_URL is not set(.|\n)*BROKER_URL is not set"):
        settings.load().require("DATABASE_URL", "BROKER_URL")


def test_the_settings_text_shows_no_secret(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_c4n4ry")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", "whsec_c4n4ry")
    monkeypatch.setenv("REDIS_URL", "redis://:c4n4ry@cache/0")

    assert "c4n4ry" not in repr(settings.load())


def test_a_setting_of_the_sandbox_in_the_same_shell_is_no_mistake(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METERPOST_SANDBOX_URL", "http://127.0.0.1:12111")

    assert command("config").code == 0

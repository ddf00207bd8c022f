"""redis.conf asks for the durability that the service relies on, and a server understands it."""

import subprocess
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from local.place import free_port
from local.valkey import DURABILITY, _binary

PATIENT = Retry(ConstantBackoff(0.05), 200)  # until the server listens


def _settings(conf: Path) -> dict[str, str]:
    lines = [line for line in conf.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def test_redis_conf_is_as_durable_as_the_embedded_server(deploy: Path) -> None:
    assert _settings(deploy / "redis.conf").items() >= DURABILITY.items()


def test_redis_conf_gives_a_reason_before_each_setting_that_keeps_rows(deploy: Path) -> None:
    lines = (deploy / "redis.conf").read_text().splitlines()
    before = {line.split()[0]: lines[number - 1] for number, line in enumerate(lines) if line and line[0] != "#"}
    assert all(before[name].startswith("#") for name in DURABILITY)


def test_a_server_understands_redis_conf(deploy: Path, tmp_path: Path) -> None:
    port = free_port()
    place = ["--dir", str(tmp_path), "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "made-up"]
    server = subprocess.Popen([_binary(), deploy / "redis.conf", *place], stdout=subprocess.DEVNULL)
    with redis.Redis(port=port, password="made-up", retry=PATIENT) as queues:
        settings = {name: queues.config_get(name)[name] for name in DURABILITY}
    server.terminate()
    server.wait()
    assert settings == {name: value.strip('"') for name, value in DURABILITY.items()}

"""A worker of the zygote's is a process of its own, and is born again when it dies."""

import os

from chaos.zygote import Zygote


def test_what_dies_is_born_again(tmp_path):
    """This one dies by itself: it cannot start without a ledger."""
    env = {"PATH": os.defpath, "HOME": str(tmp_path), "METERPOST_LOG_FORMAT": "json"}
    with Zygote({"dispatch": "workers.dispatch"}, env, log_dir=tmp_path) as zygote:
        first = zygote.pid("dispatch")
        assert zygote.wait_for_rebirth()
        second = zygote.pid("dispatch")
    assert first != second
    assert "DATABASE_URL" in (tmp_path / "dispatch.log").read_text()

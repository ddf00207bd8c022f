"""What is installed is pinned to the byte, and says nothing of where it came from."""

import re

import pytest

from local.guarded import ROOT


@pytest.mark.parametrize("lock", ["requirements.lock", "deploy/requirements.lock"])
def test_lock_files_hold_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==\S+.*(?:\n .*)*", text, flags=re.MULTILINE)
    assert pinned
    assert "://" not in text
    assert [pin.split()[0] for pin in pinned if "--hash=sha256:" not in pin] == []

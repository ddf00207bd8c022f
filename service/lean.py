"""Libraries import what they might be asked for; here they are imported without what nobody asks them for.

structlog brings rich and pygments for tracebacks that we never print, stripe an asynchronous client that we never call:
together a quarter of the time in which a process of ours starts, after each kill as well.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Within the block an import of one of these fails, as where it is not installed; one that is imported stays."""
    absent = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None: Python's own mark of what is not there
    try:
        yield
    finally:
        for package in absent:
            del sys.modules[package]

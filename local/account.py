"""The user that PostgreSQL runs as: it refuses root, so root lends it `nobody`.

`nobody` must be able to walk to the binaries and to the cluster. Where it cannot (a checkout below /root), we
go to another place; the permissions of what is there stay as they are.
"""

import hashlib
import os
import pwd
import stat
import tempfile
from pathlib import Path

from local.parent import SAME_USER

STATE_OF_ROOT = Path("/var/lib/meterpost")  # persistent, and only root can write there


def server_user() -> tuple[int, int]:
    """(uid, gid) for PostgreSQL; the same user unless we are root."""
    if os.geteuid() != 0:
        return SAME_USER
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def can_reach(path: Path, user: tuple[int, int]) -> bool:
    """Whether `user` may walk through every folder above `path` and read what is there now."""
    if user == SAME_USER:
        return True
    existing = [step for step in (path, *path.parents) if step.exists()]
    return all(_allows(step, uid=user[0]) for step in existing)


def _allows(step: Path, *, uid: int) -> bool:
    found = step.stat()
    wanted = stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
    return found.st_uid == uid or bool(found.st_mode & wanted)


def scratch_base(user: tuple[int, int]) -> Path:
    """The folder for temporary directories: TMPDIR, unless `user` cannot walk there."""
    candidates = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - bases for mkdtemp
    return next((base for base in candidates if can_reach(base, user)), candidates[0])


def lasting_directory(wanted: Path, user: tuple[int, int]) -> Path:
    """`wanted`, or its stand-in below /var/lib/meterpost when `user` cannot walk to it.

    Not HOME: root's home is closed to everybody else. Not /var/tmp: that is cleaned by age. The stand-in's
    name follows from `wanted`, so that the next start finds the same rows.
    """
    if can_reach(wanted.parent, user):
        return wanted
    return STATE_OF_ROOT / hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:12] / wanted.name

"""Why this process cannot read a file or write to a directory, and who can mend it.

Looks at the file system, changes nothing. Owners and groups come from the machine's own lists.
"""

import grp
import os
import pwd
import stat
from pathlib import Path


def unreadable(path: Path) -> str | None:
    """What stops this process from reading a file.

    Returns:
        None where it can; else one line that names the file, its owner and what to do.
    """
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind):  # a named pipe would wait for ever
            return f"{path} is {'a directory' if stat.S_ISDIR(kind) else 'not a plain file'}; name a file"
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return f"{path} does not exist"
    except NotADirectoryError:
        return f"{path} lies below something that is not a directory"
    except PermissionError:
        return _forbidden(path)
    except OSError as exc:
        return f"{path} cannot be read: {exc.strerror}"


def unwritable(folder: Path) -> str | None:
    """What stops this process from making files in a directory, which need not be there yet.

    Returns:
        None where it can; else one line that says what to do.
    """
    there = folder
    while not _exists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"{folder} cannot be made: {there} is not a directory"
    if _may(there, os.W_OK | os.X_OK):
        return None
    user = _user(os.geteuid())
    what = (
        f"{folder} cannot be written"
        if there == folder
        else f"{folder} cannot be made: {there} cannot be written"
    )
    remedy = f"sudo chown {user} {there}, or choose another [data] dir"
    return f"{what} by {user}; it belongs to {_owner(there)}: {remedy}"


def _forbidden(path: Path) -> str:
    """The first of the directories on the way, or the file itself, that refuses us."""
    user = _user(os.geteuid())
    for step in (*reversed(path.absolute().parents), path):
        is_file = step is path
        if not _may(step, os.R_OK if is_file else os.X_OK):
            subject = f"{path} cannot be read by {user}: "
            subject += "it" if is_file else f"{step} cannot be entered; it"
            return f"{subject} belongs to {_owner(step)}; {_remedy(step, user, 'r' if is_file else 'x')}"
    return (
        f"{path} cannot be read by {user}, though its permissions allow it; ask the machine's administrator"
    )


def _remedy(path: Path, user: str, letter: str) -> str:
    info = path.stat()
    if info.st_gid == 0:  # nobody should join root's group for a log
        return f"let {user} in: sudo setfacl -m u:{user}:{letter} {path}"
    join = f"join its group: sudo usermod -aG {_group(info.st_gid)} {user}, then log in again"
    if info.st_mode & (stat.S_IRGRP if letter == "r" else stat.S_IXGRP):
        return join
    return f"open it to its group: sudo chmod g+{letter} {path}; and {join}"


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True


def _owner(path: Path) -> str:
    info = path.stat()
    return f"{_user(info.st_uid)}:{_group(info.st_gid)} (mode {stat.S_IMODE(info.st_mode):o})"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)

"""The unprivileged account that PostgreSQL runs as when we are root, and the way to its files.

PostgreSQL refuses to run as root. An ordinary user needs nothing of this: their server runs as
themselves.
"""

import errno
import os
import pwd
import shutil
import stat
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ACCOUNT_NAME = "oversight_postgres"

_ACL_ATTRIBUTE = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_ANYONE = 0xFFFFFFFF
_SEARCH = 1


class AccountError(RuntimeError):
    """No account, or no way for it to its files; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """A system user by number and name."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> "Account":
        """Return the account of a line of the user database."""
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


def server_account(data: Path) -> Account | None:
    """Return who must run the server over the folder `data`; None means whoever we are.

    As root it is the folder's owner when an ordinary user made it, else an account of our own that
    is created when the system does not have it yet.

    Raises:
        AccountError: when there is no such account and none can be made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return Account.of(pwd.getpwuid(owner))
    try:
        return Account.of(pwd.getpwnam(ACCOUNT_NAME))
    except KeyError:
        return _create_account()


def _create_account() -> Account:
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT_NAME]
    else:
        command = ["adduser", "-S", "-D", "-H", "-s", "/bin/false", ACCOUNT_NAME]
    try:
        # The commands are in the system's own folders, which root's PATH holds.
        subprocess.run(command, check=True, capture_output=True, text=True)
        return Account.of(pwd.getpwnam(ACCOUNT_NAME))
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        raise AccountError(
            f"PostgreSQL does not run as root, and the account {ACCOUNT_NAME} could not be made"
            f" ({detail.strip()}). Run as an ordinary user, create that account, or set"
            " DATABASE_URL and BROKER_URL to servers of your own."
        ) from error


def open_way(account: Account, path: Path) -> None:
    """Let `account` pass through the folders above `path` that shut it out, such as /root.

    Only the right to pass, and only for this account, is added (a POSIX access list); what is in
    those folders stays as closed as it was.

    Raises:
        AccountError: when the file system has no access lists.
    """
    if sys.platform != "linux":
        return
    for folder in reversed(path.resolve().parents):
        if _may_search(account, folder):
            continue
        try:
            _grant_search(account, folder)
        except OSError as error:
            raise AccountError(
                f"The account {account.name}, which runs PostgreSQL, may not pass through {folder},"
                f" and that could not be granted ({error.strerror}). Move the project out of"
                f" {folder}, allow it with `chmod o+x {folder}`, or run as an ordinary user."
            ) from error


def _may_search(account: Account, folder: Path) -> bool:
    """Say whether the account may pass through `folder`, by its mode and access list."""
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    entries = _access_list(folder)
    if (_USER, account.uid) in entries:
        return bool(entries[_USER, account.uid] & entries.get((_MASK, _ANYONE), 7) & _SEARCH)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _access_list(folder: Path) -> dict[tuple[int, int], int]:
    """Return the POSIX access list as {(tag, id): rights}, from the mode if there is none."""
    try:
        raw = os.getxattr(folder, _ACL_ATTRIBUTE)
    except OSError as error:
        if error.errno not in {errno.ENODATA, errno.EOPNOTSUPP}:
            raise
        mode = folder.stat().st_mode
        return {
            (_USER_OBJ, _ANYONE): mode >> 6 & 7,
            (_GROUP_OBJ, _ANYONE): mode >> 3 & 7,
            (_OTHER, _ANYONE): mode & 7,
        }
    return {(tag, number): rights for tag, rights, number in struct.iter_unpack("<HHI", raw[4:])}


def _grant_search(account: Account, folder: Path) -> None:
    entries = _access_list(folder)
    group_class = [
        rights for (tag, _), rights in entries.items() if tag in {_USER, _GROUP_OBJ, _GROUP}
    ]
    entries[_USER, account.uid] = entries.get((_USER, account.uid), 0) | _SEARCH
    mask = entries.get((_MASK, _ANYONE))
    if mask is None:
        mask = 0
        for rights in group_class:
            mask |= rights
    entries[_MASK, _ANYONE] = mask | _SEARCH
    # The kernel demands the entries ordered by tag, then by number.
    packed = b"".join(
        struct.pack("<HHI", tag, rights, number)
        for (tag, number), rights in sorted(entries.items())
    )
    os.setxattr(folder, _ACL_ATTRIBUTE, struct.pack("<I", _ACL_VERSION) + packed)

"""One writer for a folder: a lock that the system drops when its holder dies."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import IO

from workbench.errors import StoreError
from workbench.store.files import cannot_write


class FolderLock:
    """Held from ``acquire`` to ``release``; the file names the owner.

    Raises:
        StoreError: another process holds it; says which.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".lock"
        self._file: IO[bytes] | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            StoreError: another process holds it, or the folder cannot be written.
        """
        try:
            # The file stays when the lock is released: removing it would let two processes lock two files.
            file = open(self._path, "a+b")  # noqa: SIM115
        except OSError as error:
            raise cannot_write(self._path, error) from None
        if not _try_lock(file):
            owner = _owner(file)
            file.close()
            raise StoreError(f"is in use by {owner}", where=str(self._path.parent), mend="Close it there first.")
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; without effect where it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


def holder_of(folder: Path) -> str:
    """Who holds a folder's lock; empty where nobody does. Nothing is changed."""
    try:
        with open(folder / ".lock", "rb") as file:
            return "" if _try_lock(file) else _owner(file)
    except OSError:
        return ""


def _owner(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(200).decode("utf-8", "replace").strip() or "another process"


def _try_lock(file: IO[bytes]) -> bool:
    if os.name == "nt":
        import msvcrt

        try:
            file.seek(1000)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

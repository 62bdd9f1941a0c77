"""The one place that writes files: afterwards a file holds either the old content or the new, whole, and on disk."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from workbench.errors import StoreError, WriteError


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write_file(path: Path, data: bytes) -> str:
    """Replace a file's content: written beside, synced, renamed, its folder synced.

    A link stays, and what it leads to is replaced; a device or a pipe is written to.

    Returns:
        The content's SHA-256.

    Raises:
        WriteError: it could not be written; the old content stands.
    """
    try:
        # Asked of the link itself: what stands behind /dev/stdout may have no path of its own.
        if path.exists() and not path.is_file():
            with open(path, "wb") as device:
                device.write(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise cannot_write(path, error, len(data)) from None
    return sha256(data)


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        sync_folder(path.parent)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def read_file(path: Path, expected_sha256: str | None = None) -> bytes:
    """A file's content.

    Raises:
        StoreError: it cannot be read, or it is not what was written.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot be read ({error.strerror})", where=str(path)) from None
    if expected_sha256 is not None and sha256(data) != expected_sha256:
        raise StoreError(
            "is damaged: its content is not what was written", where=str(path), mend="Restore it from a backup."
        )
    return data


def make_folder(path: Path) -> None:
    """Make a folder and its parents.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from None


def move_folder(path: Path, to: Path) -> bool:
    """Give a folder another name; whether that could be done. One that cannot be moved stays and does no harm."""
    try:
        path.rename(to)
        sync_folder(to.parent)
    except OSError:
        return False
    return True


def remove_file(path: Path) -> None:
    """Remove a file that is no longer needed; one that cannot be removed stays and does no harm."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cannot_write(path: Path, error: OSError, size: int = 0) -> WriteError:
    """What a failed write means for the user: how much to free, or what to allow."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        free = _free_bytes(path)
        room = f"; {size / 1e6:.1f} MB are needed, {free / 1e6:.1f} MB free" if size and free is not None else ""
        return WriteError(f"the disk is full{room}", where=str(path), mend="Free some space; what was saved is intact.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return WriteError(
            "may not be written", where=str(path), mend="Choose another folder or allow writing to this one."
        )
    return WriteError(f"cannot be written ({error.strerror})", where=str(path))


def _free_bytes(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None

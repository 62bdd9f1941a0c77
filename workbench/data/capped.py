"""Reading files that nobody vouches for: how much may be read and unpacked, and what damaged files raise."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from workbench.data.content import Progress
from workbench.errors import InputError

MOST_BYTES = 16 * 2**30
"""More than this is not read from one source."""
FREE_BYTES = 256 * 2**20
"""Up to here a packed file may unpack to any multiple of its size."""
MOST_RATIO = 200
"""Beyond that, packed data that grow more than this are taken for a trap; pictures grow 2 to 20 times."""
PIECE = 2**22


@contextmanager
def friendly(path: Path, what: str) -> Iterator[None]:
    """Turn what the system and the unpackers raise on a bad file into an InputError: ``what`` names the format."""
    try:
        yield
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile) or not error.strerror:
            raise InputError(f"is damaged: {error}", where=str(path), mend="Get it again.") from None
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except MemoryError:
        raise too_big_for_memory(path) from None
    except (EOFError, zlib.error):
        raise InputError(f"is cut off or damaged {what}", where=str(path), mend="Get it again.") from None


def too_big_for_memory(path: Path) -> InputError:
    """The error for data that do not fit into memory."""
    return InputError(
        "needs more memory than there is", where=str(path), mend="Use a part of it, or a smaller data type."
    )


def check_unpacked(size: int, packed: int, path: Path) -> None:
    """See that a size that a file declares is not absurd, before any memory is taken for it.

    Raises:
        InputError: it is beyond what is read, or beyond what honest data of the packed size unpack to.
    """
    if size > MOST_BYTES:
        raise InputError(
            f"declares {size / 2**30:,.1f} GiB of data; up to {MOST_BYTES // 2**30} GiB are read", where=str(path)
        )
    if size > FREE_BYTES and size > MOST_RATIO * packed:
        raise InputError(
            f"would unpack from {packed / 2**20:,.1f} MiB to {size / 2**20:,.0f} MiB, which looks like a trap",
            where=str(path),
            mend="If it is sound, unpack it yourself and use the unpacked file.",
        )


def is_gzip(path: Path) -> bool:
    """Whether a file is packed with gzip, by its first bytes."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading its unpacked bytes, packed with gzip or not."""
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip(path) else path.open("rb")


def head_of(path: Path, count: int) -> bytes:
    """The first unpacked bytes of a file; fewer where it is short, none where it cannot be read."""
    try:
        with open_plain(path) as file:
            return file.read(count)
    except (OSError, EOFError, zlib.error):
        return b""


def read_up_to(file: BinaryIO, most: int, tell: Callable[[int], None] = lambda done: None) -> bytes:
    """At most ``most`` bytes of a file, piece by piece, so that a file cannot ask for more memory than it fills."""
    data = bytearray()
    while len(data) < most:
        piece = file.read(min(PIECE, most - len(data)))
        if not piece:
            break
        data += piece
        tell(len(data))
    return bytes(data)


def read_whole(path: Path, progress: Progress) -> bytes:
    """All unpacked bytes of a file.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    with friendly(path, "gzip"):
        packed = path.stat().st_size
        is_packed = is_gzip(path)
        limit = min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * packed)) if is_packed else MOST_BYTES
        total = 0 if is_packed else packed
        with open_plain(path) as file:
            data = read_up_to(file, limit + 1, lambda done: progress(f"reading {path.name}", done, total))
    check_unpacked(len(data), packed if is_packed else len(data), path)
    return data

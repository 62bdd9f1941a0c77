"""Reading NumPy's .npy and .npz: every header is read and checked before memory is taken, and nothing is unpickled."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np

from workbench.data.capped import check_unpacked, friendly, read_up_to
from workbench.data.content import Array
from workbench.errors import InputError, Problem

_MAGIC = b"\x93NUMPY"
_MOST_MEMBERS = 1000
_LONGEST_HEADER = 10_000
_MOST_AXES = 8


@dataclass(frozen=True)
class Header:
    """What a .npy header declares.

    Attributes:
        name: the array's name in an .npz, or the file's.
        shape, dtype, fortran: of the array.
        length: bytes of the header itself.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    length: int

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return prod(self.shape) * self.dtype.itemsize


Tell = Callable[[int, int], None]


def is_npy(head: bytes) -> bool:
    """Whether a file's first bytes are those of a .npy."""
    return head.startswith(_MAGIC)


def is_npz(path: Path) -> bool:
    """Whether a file is a zip archive with a .npy in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        return False


def load_npy(path: Path, tell: Tell = lambda done, total: None) -> Array:
    """The array of a .npy file.

    Raises:
        InputError: it holds pickled objects, is damaged, or declares more than it holds.
    """
    with _sound(path), path.open("rb") as file:
        size = path.stat().st_size
        header = _header(file, path.name)
        _check_plain([header], path)
        if header.length + header.nbytes > size:
            raise _cut_off(path, header, size - header.length)
        return _array(file, header, path, lambda done: tell(done, header.nbytes))


def npy_header(path: Path) -> Header:
    """What a .npy file declares.

    Raises:
        InputError: it is damaged.
    """
    with _sound(path), path.open("rb") as file:
        return _header(file, path.name)


def load_npz(
    path: Path, wanted: Callable[[list[Header]], set[str]], tell: Tell = lambda done, total: None
) -> dict[str, Array]:
    """Some arrays of an .npz file, by name.

    Args:
        wanted: chooses the names, given all headers; pickled ones may not be among them.

    Raises:
        InputError: an array that is wanted holds pickled objects, or the file is damaged or declares absurd sizes.
    """
    with _sound(path), zipfile.ZipFile(path) as archive:
        members = _members(archive, path)
        headers = [_member_header(archive, member, path) for member in members]
        names = wanted(headers)
        chosen = [(m, h) for m, h in zip(members, headers, strict=True) if h.name in names]
        _check_plain([header for _, header in chosen], path)
        total = sum(header.nbytes for _, header in chosen)
        check_unpacked(total, path.stat().st_size, path)
        return _arrays(archive, chosen, path, total, tell)


def _arrays(
    archive: zipfile.ZipFile,
    chosen: list[tuple[zipfile.ZipInfo, Header]],
    path: Path,
    total: int,
    tell: Tell,
) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    before = 0
    for member, header in chosen:
        with archive.open(member) as file:
            _header(file, header.name)
            arrays[header.name] = _array(file, header, path, _after(before, total, tell))
        before += header.nbytes
    return arrays


def _after(before: int, total: int, tell: Tell) -> Callable[[int], None]:
    return lambda done: tell(before + done, total)


def _members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
    if not members:
        raise InputError("holds no arrays", where=str(path))
    if len(members) > _MOST_MEMBERS:
        raise InputError(f"holds {len(members):,} arrays; up to {_MOST_MEMBERS:,} are read", where=str(path))
    if len({member.filename for member in members}) < len(members):
        raise InputError("holds two arrays of one name", where=str(path))
    return members


def _member_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Header:
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as file:
        header = _header(file, name)
    # Pickled arrays declare no length; they are refused by name later, where they are wanted.
    if not header.dtype.hasobject and header.length + header.nbytes != member.file_size:
        raise _cut_off(path, header, member.file_size - header.length)
    return header


def _header(file: Any, name: str) -> Header:
    start = file.read(12)
    if len(start) < 10 or not start.startswith(_MAGIC):
        raise ValueError(f"{name!r} does not start as an array does")
    version = (start[6], start[7])
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"{name!r} has version {version[0]}.{version[1]}, which is not known")
    short = version == (1, 0)
    length = struct.unpack("<H", start[8:10])[0] if short else struct.unpack("<I", start[8:12])[0]
    if length > _LONGEST_HEADER:
        raise ValueError(f"{name!r} has a header of {length:,} bytes")
    begun = start[10:] if short else b""
    text = begun + file.read(length - len(begun))
    shape, fortran, dtype = _parsed(text, length, version)
    if len(shape) > _MOST_AXES or any(not 0 <= size < 2**48 for size in shape) or not dtype.itemsize:
        raise ValueError(f"{name!r} has the shape {shape!r}"[:200])
    return Header(name, shape, dtype, fortran, (10 if short else 12) + length)


def _parsed(text: bytes, length: int, version: tuple[int, int]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    import io

    if len(text) < length:
        raise EOFError
    # NumPy's own parser, on the few bytes that were read: it takes literals only.
    prefix = struct.pack("<H", length) if version == (1, 0) else struct.pack("<I", length)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(io.BytesIO(prefix + text), max_header_size=_LONGEST_HEADER)
    return shape, fortran, dtype


def _check_plain(headers: list[Header], path: Path) -> None:
    problems = []
    for header in headers:
        if header.dtype.hasobject:
            what = f"holds pickled Python objects ({header.name!r}), which are never unpickled: save plain arrays"
            problems.append(Problem(what, str(path)))
        elif header.dtype.kind not in "biufUS":
            what = f"{header.name!r} holds {header.dtype}: only numbers and texts are read"
            problems.append(Problem(what[:300], str(path)))
    if problems:
        raise InputError.of(problems)


def _array(file: BinaryIO | Any, header: Header, path: Path, tell: Callable[[int], None]) -> Array:
    data = read_up_to(file, header.nbytes, tell)
    if len(data) < header.nbytes:
        raise _cut_off(path, header, len(data))
    if not header.nbytes:
        return np.zeros(header.shape, header.dtype)
    flat: Array = np.frombuffer(data, header.dtype)
    array = flat.reshape(header.shape[::-1]).T if header.fortran else flat.reshape(header.shape)
    return array.astype(header.dtype.newbyteorder("="), copy=False)


def _cut_off(path: Path, header: Header, there: int) -> InputError:
    return InputError(
        f"{header.name!r} declares {header.nbytes:,} bytes and holds {max(0, there):,}",
        where=str(path),
        mend="The file is cut off or damaged: get it again.",
    )


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    damaged = (
        ValueError, SyntaxError, TypeError, KeyError, RuntimeError, NotImplementedError, RecursionError, OverflowError,
        struct.error, TokenError, zipfile.BadZipFile, AttributeError, IndexError,
    )  # fmt: skip
    with friendly(path, "as a zip archive"):
        try:
            yield
        except damaged as error:
            text = str(error).split("\n")[0][:200] or type(error).__name__
            raise InputError(f"is damaged: {text}", where=str(path), mend="Get it again or save it anew.") from None

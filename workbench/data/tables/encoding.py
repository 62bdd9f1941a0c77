"""From the bytes of a text file to UTF-8: which encoding it is in is found out, or given."""

from __future__ import annotations

import codecs

from workbench.errors import InputError

_PIECE = 2**24
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8 with a mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)


def to_utf8(data: bytes, given: str | None, where: str) -> tuple[bytes, str]:
    """The text as UTF-8 without a byte order mark and with ``\\n`` line ends, and the name of its encoding.

    Raises:
        InputError: it is no text, or not in the encoding that was given.
    """
    if given:
        found: tuple[str | bytes, str] = (_decoded(data, given, where), given)
    else:
        found = _found_out(data, where)
    name = found[1]
    text = found[0] if isinstance(found[0], bytes) else _plain(found[0])
    if b"\0" in text:
        raise InputError("is no text: it holds zero bytes", where=where)
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text, name


def _plain(text: str) -> bytes:
    return text.removeprefix("\ufeff").encode("utf-8", errors="replace")


def _decoded(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise InputError(
            f"{encoding!r} is no text encoding", where="data.sources.encoding", mend="Use utf-8, utf-16, cp1252..."
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"is no {encoding} text: byte {data[error.start]:#04x} in line {line:,}",
            where=where,
            mend="Leave data.sources.encoding empty to have it found out.",
        ) from None
    except UnicodeError:
        raise InputError(f"is no {encoding} text", where=where) from None


def _found_out(data: bytes, where: str) -> tuple[str | bytes, str]:
    for mark, encoding, name in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding, where), name
    if _is_utf8(data):
        # UTF-16 without a mark is valid UTF-8 too where all is ASCII; its zero bytes tell.
        wide = _wide_encoding(data)
        return (_decoded(data, wide, where), wide) if wide else (data, "utf-8")
    for encoding in (_wide_encoding(data) or "cp1252", "latin-1"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 takes any bytes")


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    # In pieces: the text as a whole would take four times the memory of the bytes.
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(data: bytes) -> str:
    """The UTF-16 whose zero bytes stand in every other place, or nothing."""
    start = data[:4096]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > 0.4 * len(start[1::2]) and not even:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * len(start[::2]) and not odd else ""

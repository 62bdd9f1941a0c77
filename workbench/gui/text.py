"""Names that come from data, made fit to be shown: plain, on one line, of bounded length."""

from __future__ import annotations

import html
import textwrap
import unicodedata

LONGEST = 200
_SHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that have no shape of their own: controls, directions, line ends."""


def safe(name: object) -> str:
    """A name from data as one line of at most 200 characters; control and direction characters as escapes.

    The result may still look like markup: show it in widgets whose text format is plain (``widgets.labels``), and
    escape it for HTML where one takes nothing else.
    """
    text = str(name)
    return visible(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def visible(text: str) -> str:
    """A sentence that may quote names from data: control and direction characters as escapes, nothing cut."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _SHOWN:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def wrapped(text: str, width: int = 64) -> str:
    """A text broken into lines, for tool tips: plain ones do not wrap by themselves."""
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width) or [""])


def tip(text: str, width: int = 64) -> str:
    """As ``wrapped``, for a tip that names something from data: Qt takes whatever looks like markup for markup."""
    lines = wrapped(text, width)
    if "<" not in lines and "&" not in lines:
        return lines
    # Said to be markup outright, so that the escapes are read as such.
    return f"<p>{html.escape(lines).replace(chr(10), '<br>')}</p>"

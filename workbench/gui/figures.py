"""Numbers for people: one way to write each kind, everywhere in the window.

Figures are tabular in the window's typeface. A space that never breaks stands between thousands and before a unit.
"""

from __future__ import annotations

import re
from math import isfinite

from workbench.export.report.text import duration as duration

SPACE = "\u00a0"
"""A space that never breaks."""
MINUS = "\u2212"
DASH = "\u2014"
"""Stands where there is no value."""

_COMMAS = re.compile(r"""(?<![\w.,“"'‘`])\d{1,3}(?:,\d{3})+(?!\w|,\d|\.\d{4})""")
"""A number whose thousands stand between commas; nothing within a word, a longer list of digits, or a quoted name."""
_BROKEN = re.compile(r"\bn = (?=\d)|(?<=\d) %")
"""Spaces that no line should break at."""


def grouped(value: int) -> str:
    """``421 770``."""
    return f"{value:,}".replace(",", SPACE).replace("-", MINUS)


def regrouped(text: str) -> str:
    """A sentence with the numbers written as here: ``n = 8,000`` becomes ``n = 8 000``; lists and names stay.

    No line breaks within a size of a sample or before a per cent sign.
    """
    text = _COMMAS.sub(lambda found: found.group().replace(",", SPACE), text)
    return _BROKEN.sub(lambda found: found.group().replace(" ", SPACE), text)


def short(value: float) -> str:
    """``950``, ``1.3 k``, ``0.25 M``, ``3.61 M``, ``12.0 G``: three figures and a unit."""
    size = abs(value)
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e5, "M"), (1e3, "k")):
        if size >= limit:
            scaled = value / {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}[unit]
            places = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 or unit == "k" else 2
            return _signed(f"{scaled:.{places}f}") + SPACE + unit
    return _signed(f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}")


def percent(fraction: float | None, places: int = 1) -> str:
    """``3.5 %`` of 0.035."""
    if fraction is None or not isfinite(fraction):
        return DASH
    return _signed(f"{100 * fraction:.{places}f}") + SPACE + "%"


def points(fraction: float, places: int = 1) -> str:
    """A difference of two errors in percentage points with its sign: ``+2.8``."""
    text = f"{100 * fraction:+.{places}f}"
    return _signed(text.replace("-", "+") if float(text) == 0 else text)


def memory(count: float) -> str:
    """Bytes: ``11.8 MB``, by powers of 1000."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= limit:
            scaled = count / limit
            return f"{scaled:.{0 if scaled >= 100 else 1}f}{SPACE}{unit}"
    return f"{count:.0f}{SPACE}B"


def rate(value: float) -> str:
    """A learning rate or another small number: ``9.1e−4``, ``0.05``, ``1e−3``."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else DASH
    exponent = f"{value:.2e}".partition("e")[2]
    if -2 <= int(exponent) < 4:
        return _signed(f"{value:.3g}")
    return scientific(value)


def plain(value: float) -> str:
    """As ``rate``, thousands written out: ``−5 000``, ``0.25``."""
    return grouped(round(value)) if 100 <= abs(value) < 1e5 else rate(value)


def scientific(value: float) -> str:
    """As ``rate``, always with an exponent: ``8e−3``, ``1e−2``."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else DASH
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return _signed(f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}")


def shape(sizes: tuple[int, ...]) -> str:
    """``28 × 28 × 32``; a single size is grouped."""
    if len(sizes) == 1:
        return grouped(sizes[0])
    return f"{SPACE}×{SPACE}".join(str(size) for size in sizes)


def _signed(text: str) -> str:
    return text.replace("-", MINUS)

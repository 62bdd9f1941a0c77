"""Texts and numbers of the report: what cannot be seen shows as an escape, each kind of number is written one way."""

from __future__ import annotations

import unicodedata
from math import isfinite

from workbench.diagnosis.wording import figure
from workbench.evaluation.intervals import Estimate

SPACE = "\u00a0"
"""A space that never breaks."""
MINUS = "\u2212"
DASH = "–"
"""Stands where there is no value."""
LONGEST_NAME = 200

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters without a shape of their own: controls, directions, line ends."""


def plain(text: str) -> str:
    """The text on one line, control and direction characters as escapes that TOML and Python read too."""
    if text.isprintable():
        return text
    return "".join(_escaped(char) for char in text)


def plain_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(plain(line) for line in text.split("\n"))


def _escaped(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def named(name: str, most: int = LONGEST_NAME) -> str:
    """A name from data; one that is too long ends in an ellipsis."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def count(value: int | float) -> str:
    """``4,780``; sums of weights keep two decimals: ``4,780.25``."""
    text = f"{value:,.2f}" if isinstance(value, float) and not value.is_integer() else f"{value:,.0f}"
    return _signed(text)


def short(value: float) -> str:
    """``950``, ``1.3 k``, ``3.61 M``: about three figures and a unit."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scaled = value / {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}[unit]
            places = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            return f"{_signed(f'{scaled:.{places}f}')}{SPACE}{unit}"
    return count(round(value) if abs(value) >= 100 else value)


def percent(value: float | None, places: int = 2) -> str:
    """``21.50 %`` of 0.215."""
    return DASH if value is None or not isfinite(value) else f"{_signed(f'{100 * value:.{places}f}')}{SPACE}%"


def tight_percent(value: float) -> str:
    """``21.5 %``: as few decimals as the value needs, two at most."""
    return f"{figure(value)}{SPACE}%"


def gap(value: float | None, places: int = 2) -> str:
    """A difference of errors in points with its sign: ``+16.50``."""
    if value is None or not isfinite(value):
        return DASH
    text = f"{100 * value:+.{places}f}"
    return f"{0:.{places}f}" if float(text) == 0 else _signed(text)


def interval(estimate: Estimate | None, places: int = 2) -> str:
    """``18.79 to 24.48``, in per cent or points; ``exact`` where the value is taken as it is."""
    if estimate is None:
        return DASH
    if estimate.exact:
        return "exact"
    return " to ".join(_signed(f"{100 * end:.{places}f}") for end in (estimate.lower, estimate.upper))


def number(value: float | None, digits: int = 4) -> str:
    """``0.001``, ``1,234``, ``3.142``, ``1.2e−7``: so many significant figures, trailing zeros left out."""
    if value is None or not isfinite(value):
        return DASH
    if value == int(value) and abs(value) < 1e15:
        return count(int(value))
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    if not e:
        return _signed(text)
    if 0 < int(exponent) < 9:
        return count(float(text))
    return _signed(f"{mantissa}e{int(exponent)}")


def fixed(value: float | None, places: int = 3) -> str:
    """``0.945``; a dash where it is undefined."""
    return DASH if value is None or not isfinite(value) else _signed(f"{value:.{places}f}")


def number_interval(estimate: Estimate | None, digits: int = 4) -> str:
    """``4.1 to 5.2`` in the value's own unit."""
    if estimate is None or estimate.exact:
        return DASH
    return f"{number(estimate.lower, digits)} to {number(estimate.upper, digits)}"


def duration(seconds: float) -> str:
    """``0.4 s``, ``52 s``, ``3 min 52 s``, ``2 h 05 min``, ``3 d 4 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f}{SPACE}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{SPACE}s"
    if whole < 3600:
        return f"{whole // 60}{SPACE}min {whole % 60}{SPACE}s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60}{SPACE}h {minutes % 60:02d}{SPACE}min"
    hours = round(seconds / 3600)
    return f"{hours // 24}{SPACE}d {hours % 24}{SPACE}h"


def shape(sizes: tuple[int, ...]) -> str:
    """``28 × 28 × 32``."""
    return " × ".join(count(size) for size in sizes)


def counted(value: int, noun: str) -> str:
    """``1 example``, ``1,234 examples``; nouns in -s or -y take their own plural."""
    if value == 1:
        return f"1 {noun}"
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count(value)} {plural}"


def _signed(text: str) -> str:
    return text.replace("-", MINUS)

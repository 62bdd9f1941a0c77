"""Numbers as people type them, and as they are written back."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?")
_SPACES = str.maketrans({" ": "", "\u202f": "", "\u2009": "", "\u00a0": "", "\u2212": "-", "_": ""})


def parse_number(text: str, *, whole: bool = False, percent: bool = False) -> int | float:
    """The number that a text means: ``1e-3``, ``0,5``, ``60 000``; ``3.5 %`` where it is a percentage.

    Raises:
        ValueError: the text is no number, or no whole one where one is needed; its message says so.
    """
    plain = text.translate(_SPACES).lower()
    if percent:
        plain = plain.removesuffix("%")
    plain = plain.replace(",", "") if whole else plain.replace(",", ".") if "." not in plain else plain
    needed = "must be a whole number" if whole else "must be a number"
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f'{needed}, not "{text.strip()[:40]}"')
    try:
        number = Decimal(plain).scaleb(-2) if percent else Decimal(plain)
    except InvalidOperation:
        raise ValueError(f'{needed}, not "{text.strip()[:40]}"') from None
    if not whole:
        if number.adjusted() > 300:
            raise ValueError(f"is too large: {text.strip()[:40]}")
        return float(number)
    if number.adjusted() > 30 or number != number.to_integral_value():
        raise ValueError(f"{needed}, not {text.strip()[:40]}")
    return int(number)


def number_text(value: float, *, percent: bool = False, log: bool = False) -> str:
    """A number so that ``parse_number`` gives back the same: ``1e-4``, ``0.05``, ``64``.

    Args:
        value: finite.
        percent: write 0.035 as ``3.5``.
        log: write with an exponent from a thousandth on, as learning rates are.
    """
    number = Decimal(repr(value))
    if percent:
        number = number.scaleb(2)
    if number == 0:
        return "0"
    if isinstance(value, int) and not percent:
        return str(value)
    exponent = number.adjusted()
    if exponent < -4 or exponent > 6 or (log and exponent <= -3):
        digits = format(number.scaleb(-exponent).normalize(), "f")
        return f"{digits}e{exponent}"
    return format(number.normalize(), "f")


def parse_pair(text: str) -> int | tuple[int, int]:
    """``3`` or ``3 × 5``, with any of ``x × * , ;`` or a space between.

    Raises:
        ValueError: the text is neither; its message says so.
    """
    parts = [part for part in re.split(r"[x×*,;\s\u202f]+", text.strip().lower()) if part]
    if not 1 <= len(parts) <= 2 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise ValueError(f'must be one number or two, as 3 × 5, not "{text.strip()[:40]}"')
    sizes = [int(part) for part in parts]
    return sizes[0] if len(sizes) == 1 or sizes[0] == sizes[1] else (sizes[0], sizes[1])


def pair_text(value: int | tuple[int, int]) -> str:
    """``3 × 3``."""
    height, width = (value, value) if isinstance(value, int) else value
    return f"{height} × {width}"


def parse_sizes(text: str, counts: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Whole numbers with any of ``x × * , ;`` or a space between: ``-1 × 2``.

    Args:
        text: what was typed.
        counts: how many numbers there may be; any number of them, but not none, where empty.

    Raises:
        ValueError: the text is something else; its message says so.
    """
    parts = [part for part in re.split(r"[x×*,;\s\u202f]+", text.strip().lower().replace("\u2212", "-")) if part]
    fitting = len(parts) in counts if counts else bool(parts)
    if not fitting or not all(re.fullmatch(r"-?[0-9]{1,9}", part) for part in parts):
        needed = " or ".join(map(str, counts)) if counts else "one or more"
        noun = "whole number" if counts == (1,) else "whole numbers"
        raise ValueError(f'must be {needed} {noun}, not "{text.strip()[:40]}"')
    return tuple(int(part) for part in parts)


def sizes_text(values: int | tuple[int, ...], joint: str) -> str:
    """``-1 × 2``."""
    return joint.join(map(str, (values,) if isinstance(values, int) else values))

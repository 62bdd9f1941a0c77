"""Where a number goes by one step of an arrow: by 1, by 1-2-5 where factors matter, towards 1 where that is the end."""

from __future__ import annotations

from decimal import Decimal
from math import ceil, floor

from workbench.recipe.fields import FieldFacts

_FIRST_LOG = 1e-4
"""Where a value that may be 0 and is changed by factors begins."""


def step(value: float, by: int, field: FieldFacts, *, whole: bool) -> int | float:
    """The value after ``by`` steps, within the field's range."""
    for _ in range(abs(by)):
        value = _one(value, by > 0, field, whole)
    low, high = _ends(field, whole)
    value = value if low is None else max(low, value)
    value = value if high is None else min(high, value)
    return int(value) if whole else value


def _one(value: float, up: bool, field: FieldFacts, whole: bool) -> float:
    if whole:
        if not field.log:
            return value + (1 if up else -1)
        return value * 2 if up else max(1, ceil(value / 2))
    if field.log:
        return _next_125(value, up)
    if field.high == 1 and field.low is not None and 0.9 <= value < 1 and (up or value > 0.9):
        # Averages over 1 / (1 - value) steps: what matters is the way to 1.
        return _exact(1 - Decimal(repr(_next_125(float(_exact(1 - Decimal(repr(value)))), not up))))
    size = _linear_size(value, field)
    return _exact(Decimal(repr(value)) + (size if up else -size))


def _linear_size(value: float, field: FieldFacts) -> Decimal:
    if field.unit == "fraction":
        return Decimal("0.001") if abs(value) < 0.02 else Decimal("0.01")
    if field.high is not None and field.high <= 1:
        return Decimal("0.05")
    return Decimal("0.1") if abs(value) < 10 else Decimal(1)


def _next_125(value: float, up: bool) -> float:
    """The next of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... above or below."""
    if value <= 0:
        return _FIRST_LOG if up else 0.0
    number = Decimal(repr(value))
    exponent = number.adjusted()
    marks = [Decimal(digit).scaleb(power) for power in range(exponent - 1, exponent + 2) for digit in (1, 2, 5)]
    if up:
        return float(min(mark for mark in marks if mark > number))
    lower = float(max(mark for mark in marks if mark < number))
    return lower if lower >= 1e-12 else 0.0


def _exact(number: Decimal | float) -> float:
    return float(number)


def _ends(field: FieldFacts, whole: bool) -> tuple[float | None, float | None]:
    """The lowest and highest value of the range that can be taken."""
    low, high = field.low, field.high
    if whole:
        low = low if low is None else floor(low) + 1 if field.open_low else ceil(low)
        high = high if high is None else ceil(high) - 1 if field.open_high else floor(high)
        return low, high
    # An open end has no last number; a billionth off is as good as any.
    low = low if low is None or not field.open_low else low + 1e-9 * max(1.0, abs(low))
    high = high if high is None or not field.open_high else high - 1e-9 * max(1.0, abs(high))
    return low, high

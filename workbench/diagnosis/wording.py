"""Numbers in sentences: errors in per cent, differences of errors in points (hundredths), both with few digits."""

from __future__ import annotations

from math import ceil

from workbench.evaluation.intervals import Estimate

_COARSE = 0.005
"""From this width of an interval on a second decimal says nothing."""


def figure(value: float) -> str:
    """100 times a value with at most two decimals, one from 10 on: ``0.73``, ``2.8``, ``12.3``."""
    scaled = 100.0 * value
    text = f"{scaled:.1f}" if abs(scaled) >= 9.995 else f"{scaled:.2f}"
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def percent(value: float) -> str:
    """``3.5 %``"""
    return f"{figure(value)} %"


def points(value: float) -> str:
    """``2.8 points``"""
    shown = figure(value)
    return f"{shown} point" if shown in ("1", "−1") else f"{shown} points"


def signed(value: float) -> str:
    """``+0.3``, ``−1.2``"""
    shown = figure(value)
    return shown if shown.startswith("−") or shown == "0" else f"+{shown}"


def error_with_interval(estimate: Estimate) -> str:
    """``3.5 % (3.1 to 4.0 %, n = 8,000)``; an exact value stands alone."""
    if estimate.exact:
        return percent(estimate.value)
    size = f", n = {estimate.n:,}" if estimate.n is not None else ""
    value, low, high = _alike(estimate)
    return f"{value} % ({low} to {high} %{size})"


def gap_with_interval(estimate: Estimate) -> str:
    """``2.8 points (2.3 to 3.3)``; an exact value stands alone."""
    if estimate.exact:
        return points(estimate.value)
    value, low, high = _alike(estimate)
    return f"{value} points ({low} to {high})"


def _alike(estimate: Estimate) -> tuple[str, str, str]:
    """A value and its bounds with equally many decimals: no more than the interval is worth."""
    places = 1 if estimate.upper - estimate.lower >= _COARSE else 2
    shown = [f"{100 * number:.{places}f}" for number in (estimate.value, estimate.lower, estimate.upper)]
    # What rounds to nothing has no sign.
    value, low, high = (text.lstrip("-") if not float(text) else text.replace("-", "−") for text in shown)
    return value, low, high


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """``a, b and c``; a long list ends with how many more there are."""
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def rounded_up(count: float) -> int:
    """A number of examples rounded up to two digits: what is estimated should not look exact."""
    whole = ceil(count)
    unit: int = 10 ** max(0, len(str(whole)) - 2)
    return -(-whole // unit) * unit

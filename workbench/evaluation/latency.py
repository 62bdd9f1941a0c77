"""How long predicting one example takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Latency:
    """Times of repeated calls.

    Attributes:
        median_ms, p95_ms: half and 95 % of the calls took at most this.
        calls: how many were timed.
    """

    median_ms: float
    p95_ms: float
    calls: int

    def to_json(self) -> dict[str, Any]:
        """The same fields."""
        return dict(self.__dict__)


def measure_latency(
    call: Callable[[], object], calls: int = 100, warm_up: int = 5, most_seconds: float = 2.0
) -> Latency:
    """Time a call that predicts one example.

    Args:
        call: what to time.
        calls: how often, at least once.
        warm_up: calls before, untimed: first calls load code and fill caches.
        most_seconds: stop when this is used up, however few calls that were.
    """
    begin = perf_counter()
    for _ in range(warm_up):
        call()
        if perf_counter() - begin > most_seconds / 2:
            break
    times: list[float] = []
    while not times or (len(times) < calls and perf_counter() - begin < most_seconds):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    times.sort()
    # The nearest rank: with few calls the slowest of them, never a value between two that were measured.
    rank = -(-95 * len(times) // 100) - 1
    return Latency(1000.0 * median(times), 1000.0 * times[rank], len(times))

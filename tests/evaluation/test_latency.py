"""Timing of single predictions: what is counted, not how fast it is."""

from __future__ import annotations

import time

from workbench.evaluation.latency import measure_latency


def test_that_each_call_is_timed_after_a_warm_up():
    calls = []
    latency = measure_latency(lambda: calls.append(1), calls=40, warm_up=3, most_seconds=60)
    assert latency.calls == 40
    assert len(calls) == 43
    assert 0 <= latency.median_ms <= latency.p95_ms
    assert set(latency.to_json()) == {"median_ms", "p95_ms", "calls"}


def test_that_a_slow_call_is_timed_at_least_once_and_not_for_ever():
    latency = measure_latency(lambda: time.sleep(0.02), calls=1000, warm_up=1, most_seconds=0.01)
    assert latency.calls == 1
    assert latency.median_ms >= 15

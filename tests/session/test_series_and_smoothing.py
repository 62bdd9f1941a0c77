"""A run's figures as arrays, and the lecture's average over them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.events import (
    CheckpointSaved,
    EpochDone,
    Event,
    Paused,
    Progress,
    Resumed,
    RunEnded,
    RunStarted,
    StepDone,
)
from workbench.session.curves import RunCurves
from workbench.session.series import Columns, Series
from workbench.session.smoothing import Average, smoothed

_VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


def _started(first: int = 0, time: float = 100.0, layers: tuple[str, ...] = ("a", "b")) -> RunStarted:
    return RunStarted("run-1", time, "CPU", 1, 10, 6, 4, first, {"train": 8, "dev": 2}, layers, 8)


def _step(step: int, time: float = 0.0) -> StepDone:
    return StepDone("run-1", 100.0 + time, step, step / 4, 1.0 / step, 0.1, 2.0, 1e-3, (1.0, 2.0), (1e-3, 2e-3))


def _epoch(epoch: int, dev: float | None = 0.5, time: float = 0.0) -> EpochDone:
    return EpochDone("run-1", 100.0 + time, epoch, 4 * epoch, 1.0, 0.4, 2.0, dev, 1.0, 0.1, 1.0, 8.0, True)


@given(_VALUES, st.floats(0.0, 0.98))
def test_that_the_average_is_the_lectures_with_its_correction(values: list[float], beta: float) -> None:
    shown, v = smoothed(np.array(values), beta), 0.0
    for place, x in enumerate(values):
        v = beta * v + (1 - beta) * x
        assert shown[place] == pytest.approx(v / (1 - beta ** (place + 1)), rel=1e-9, abs=1e-6)


@given(_VALUES, st.floats(0.0, 0.98), st.integers(0, 200))
def test_that_an_average_that_goes_on_is_that_of_the_whole(values: list[float], beta: float, cut: int) -> None:
    whole, parts = np.array(values), Average(beta)
    parts.follow(whole[:cut])
    np.testing.assert_allclose(parts.follow(whole), smoothed(whole, beta))


def test_that_a_constant_stays_what_it_is_from_the_first_value_on() -> None:
    np.testing.assert_allclose(smoothed(np.full(50, 0.25), 0.98), 0.25)


def test_that_values_that_are_not_finite_leave_a_hole_and_do_not_count() -> None:
    shown = smoothed(np.array([1.0, np.nan, 1.0, np.inf, 1.0]), 0.9)
    np.testing.assert_allclose(shown[[0, 2, 4]], 1.0)
    assert np.isnan(shown[[1, 3]]).all()


def test_that_a_weight_of_one_or_more_is_refused() -> None:
    with pytest.raises(ValueError, match="beta"):
        Average(1.0)


def test_that_columns_grow_and_keep_their_rows() -> None:
    columns = Columns(("x", "y"))
    for number in range(1000):
        columns.append((number, None if number % 2 else number))
    np.testing.assert_array_equal(columns["x"], np.arange(1000))
    assert np.isnan(columns["y"][1::2]).all()


def test_that_the_version_changes_whenever_a_number_does() -> None:
    columns = Columns(("x",))
    seen = {columns.version}
    for value in (1.0, 2.0):
        columns.append((value,))
        seen.add(columns.version)
    columns.cut(1)
    seen.add(columns.version)
    columns.append((3.0,))
    seen.add(columns.version)
    assert len(seen) == 5


def test_that_a_series_holds_what_was_measured_layer_by_layer() -> None:
    series = Series()
    for event in (_started(), _step(1), _step(2), _epoch(1)):
        series.take(event)
    assert series.layers == ("a", "b")
    np.testing.assert_array_equal(series.gradient_norms, [[1.0, 2.0], [1.0, 2.0]])
    np.testing.assert_array_equal(series.update_ratios[:, 1], [2e-3, 2e-3])
    np.testing.assert_array_equal(series.epochs["dev_error"], [0.5])


def test_that_a_missing_dev_set_is_a_hole_and_no_zero() -> None:
    series = Series()
    for event in (_started(), _epoch(1, None)):
        series.take(event)
    assert np.isnan(series.epochs["dev_error"]).all()


def test_that_what_came_after_the_checkpoint_has_not_happened_after_a_resume() -> None:
    series = Series()
    for event in (_started(), *(_epoch(number) for number in range(4)), _step(12), _started(first=2, time=500.0)):
        series.take(event)
    np.testing.assert_array_equal(series.epochs["epoch"], [0, 1, 2])
    series.take(_step(9))
    np.testing.assert_array_equal(series.steps["step"], [9])


def test_that_neither_pauses_nor_the_night_between_count_as_time() -> None:
    series = Series()
    for event in (
        _started(), _step(1, 1.0), Paused("run-1", 101.0, 1, 0.25), Resumed("run-1", 161.0, 1, 0.25), _step(2, 62.0),
        _started(first=0, time=10_000.0), _step(3, 9_901.0),
    ):  # fmt: skip
        series.take(event)
    np.testing.assert_allclose(series.steps["seconds"], [1.0, 2.0, 3.0])


def test_that_records_of_another_number_of_layers_are_passed_over() -> None:
    series = Series()
    series.take(_started(layers=("only",)))
    series.take(_step(1))
    assert len(series.steps) == 0


def test_that_time_left_is_told_as_a_range_from_the_third_epoch_on() -> None:
    curves = RunCurves.of([_started(), _epoch(1, time=1.0), _epoch(2, time=2.0)])
    assert curves.seconds_left() is None
    curves.take(_epoch(3, time=3.0))
    span = curves.seconds_left()
    assert span is not None
    low, high = span
    assert low <= 3.0 <= high


def _saved(time: float) -> CheckpointSaved:
    return CheckpointSaved("run-1", 100.0 + time, 1, 4, "epoch", "last.safetensors")


def _ended(time: float, **summary: object) -> RunEnded:
    return RunEnded("run-1", 100.0 + time, "stopped" if summary else "failed", "", 1, 1, dict(summary))


def _kept(events: list[Event]) -> list[Event]:
    """What of it a run folder would tell again."""
    return [event for event in events if not isinstance(event, CheckpointSaved | Progress)]


def test_that_elapsed_is_the_time_of_all_sessions_and_the_same_when_read_back() -> None:
    events: list[Event] = [
        _started(), _step(1, 4.0), _epoch(1, time=10.0), _saved(11.0), _ended(12.0, device="CPU"),
        Progress("run-1", 9_000.0, "reading data", 0, 0), _started(first=1, time=10_000.0), _step(5, 9_903.0),
    ]  # fmt: skip
    curves = RunCurves()
    for event in events:
        curves.take(event)
    assert curves.elapsed() == 15.0
    assert curves.elapsed(10_008.0) == 20.0
    assert RunCurves.of(_kept(events)).elapsed() == 15.0


def test_that_pauses_are_not_elapsed_and_the_clock_stands_meanwhile() -> None:
    curves = RunCurves()
    for event in (_started(), _step(1, 4.0), Paused("run-1", 105.0, 1, 0.25)):
        curves.take(event)
    assert curves.elapsed(500.0) == 5.0
    curves.take(Resumed("run-1", 205.0, 1, 0.25))
    assert curves.elapsed(207.0) == 7.0
    curves.take(_ended(110.0, device="CPU"))
    assert curves.elapsed(900.0) == 10.0


def test_that_of_a_session_that_was_killed_what_was_saved_counts() -> None:
    told: list[Event] = [_started(), _epoch(1, time=10.0), _saved(11.0)]
    lost: list[Event] = [_step(5, 14.0), _ended(15.0)]
    again: list[Event] = [_started(first=1, time=1_000.0), _step(5, 903.0)]
    curves = RunCurves()
    for event in (*told, *lost, *again):
        curves.take(event)
    assert curves.elapsed() == RunCurves.of(_kept([*told, *again])).elapsed() == 13.0


def test_that_a_run_that_was_cut_off_does_not_grow_older_until_it_starts_again() -> None:
    assert RunCurves.of([_started(), _epoch(1, time=10.0)]).elapsed(9_000.0) == 10.0


def test_that_the_speed_is_known_from_the_first_steps_on() -> None:
    curves = RunCurves.of([_started(), _epoch(0, time=1.0), _step(1, 2.0)])
    assert curves.examples_per_second is None
    curves.take(_step(3, 3.0))
    # Two steps of two examples in a second.
    assert curves.examples_per_second == 4.0

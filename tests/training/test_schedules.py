"""Schedules: the lecture's formulas, cosine and warm-up."""

from __future__ import annotations

from itertools import pairwise
from math import ceil, cos, exp, pi, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from workbench.recipe.kinds import ScheduleSpec
from workbench.training.schedules.base import Moment, Reaction, Schedule

STEPS, EPOCHS = 8, 12


def schedule_of(kind: str, **fields: Any) -> Schedule:
    made = ScheduleSpec.kinds()[kind].model_validate(fields)
    assert isinstance(made, Schedule)
    return made


def _at(step: int, epochs: int = EPOCHS, steps: int = STEPS) -> Moment:
    return Moment(step // steps, step, epochs, steps)


def _curve(schedule: Schedule, epochs: int = EPOCHS, steps: int = STEPS) -> list[float]:
    return [schedule.factor(_at(step, epochs, steps)) for step in range(epochs * steps)]


@pytest.mark.parametrize("epoch", range(EPOCHS))
@pytest.mark.parametrize(
    ("kind", "fields", "formula"),
    [
        ("constant", {}, lambda e: 1.0),
        ("inverse_time", {"decay_rate": 0.3}, lambda e: 1 / (1 + 0.3 * e)),
        ("exponential", {"decay_rate": 0.2}, lambda e: exp(-0.2 * e)),
        ("inverse_sqrt", {"k": 1.5}, lambda e: 1.5 / sqrt(e + 1)),
        ("staircase", {"every": 4, "drop": 0.5}, lambda e: 0.5 ** (e // 4)),
    ],
)
def test_that_the_lectures_decays_follow_their_formulas(kind: str, fields: Any, formula: Any, epoch: int) -> None:
    schedule = schedule_of(kind, **fields)
    for step in range(STEPS):
        assert schedule.factor(_at(epoch * STEPS + step)) == pytest.approx(formula(epoch), rel=1e-14)


def test_that_the_staircase_halves_after_every_ten_epochs_by_default() -> None:
    schedule = schedule_of("staircase")
    assert [schedule.factor(_at(epoch * STEPS, 40)) for epoch in (0, 9, 10, 19, 20)] == [1, 1, 0.5, 0.5, 0.25]


def test_that_cosine_falls_from_1_to_the_least_share_at_each_step() -> None:
    schedule = schedule_of("cosine", least=0.1)
    curve = _curve(schedule)
    assert curve[0] == 1
    assert all(later < earlier for earlier, later in pairwise(curve))
    assert schedule.factor(_at(STEPS * EPOCHS)) == pytest.approx(0.1)
    assert curve[STEPS * EPOCHS // 2] == pytest.approx(0.55)


@pytest.mark.oracle
@pytest.mark.parametrize("least", [0.0, 0.2])
def test_that_cosine_equals_torch(least: float) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS * EPOCHS, eta_min=0.4 * least)
    for factor in _curve(schedule_of("cosine", least=least)):
        assert 0.4 * factor == pytest.approx(oracle.get_last_lr()[0], rel=1e-9, abs=1e-12)
        optimizer.step()
        oracle.step()


@pytest.mark.oracle
@pytest.mark.parametrize("power", [1.0, 0.5, 3.0])
def test_that_polynomial_equals_torch(power: float) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    oracle = torch.optim.lr_scheduler.PolynomialLR(optimizer, STEPS * EPOCHS, power)
    for factor in _curve(schedule_of("polynomial", power=power)):
        assert 0.4 * factor == pytest.approx(oracle.get_last_lr()[0], rel=1e-9, abs=1e-12)
        optimizer.step()
        oracle.step()


def test_that_polynomial_ends_at_its_least_share() -> None:
    schedule = schedule_of("polynomial", power=2, least=0.1)
    assert schedule.factor(_at(STEPS * EPOCHS // 2)) == pytest.approx(0.1 + 0.9 / 4)
    assert schedule.factor(_at(STEPS * EPOCHS)) == pytest.approx(0.1)


@pytest.mark.oracle
@pytest.mark.parametrize(("rise", "start", "end"), [(0.3, 0.04, 4e-6), (0.5, 0.1, 0.01), (0.13, 0.0, 0.0)])
def test_that_one_cycle_equals_torch(rise: float, start: float, end: float) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    # PyTorch divides by factors; 1e12 stands for a start at 0.
    div, final = 1 / max(start, 1e-12), max(start, 1e-12) / max(end, 1e-12)
    oracle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.4, STEPS * EPOCHS, pct_start=rise, div_factor=div, final_div_factor=final, cycle_momentum=False
    )
    curve = _curve(schedule_of("one_cycle", rise=rise, start=start, end=end))
    for number, factor in enumerate(curve):
        assert 0.4 * factor == pytest.approx(oracle.get_last_lr()[0], rel=1e-9, abs=1e-11)
        optimizer.step()
        if number + 1 < len(curve):
            oracle.step()


def test_that_one_cycle_peaks_at_the_learning_rate_and_refuses_a_warm_up_before_it() -> None:
    curve = _curve(schedule_of("one_cycle", rise=0.25))
    assert curve[0] == pytest.approx(0.04)
    assert max(curve) == pytest.approx(1, abs=1e-2)
    assert curve.index(max(curve)) in (23, 24)
    assert curve[-1] == pytest.approx(4e-6)
    with pytest.raises(ValidationError, match="one_cycle rises by itself: take it without a warm-up"):
        schedule_of("warmup", then="one_cycle")


def _reactions(schedule: Schedule, scores: list[float | None], steps: int = STEPS) -> list[float]:
    """The scale after each epoch."""
    reaction, scales = Reaction(), []
    for epoch, score in enumerate(scores, start=1):
        at = Moment(epoch, epoch * steps, len(scores), steps)
        reaction = schedule.react(reaction, {"dev_loss": score, "dev_error": 0.5}, at)
        scales.append(reaction.scale)
    return scales


def test_that_the_rate_falls_once_patience_is_used_up_and_not_below_the_least() -> None:
    schedule = schedule_of("reduce_on_plateau", patience=2, drop=0.1, least=0.05)
    assert schedule.watches() == "dev_loss"
    scores: list[float | None] = [3.0, 2.0, 2.0, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert _reactions(schedule, scores) == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05])
    assert _reactions(schedule, [None] * 9) == [1.0] * 9


@pytest.mark.oracle
@given(scores=st.lists(st.floats(0, 2), min_size=1, max_size=40), patience=st.integers(1, 4),
       cooldown=st.integers(0, 3), min_delta=st.sampled_from([0.0, 0.3]))  # fmt: skip
def test_that_reduce_on_plateau_equals_torch(
    scores: list[float | None], patience: int, cooldown: int, min_delta: float
) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold=min_delta, threshold_mode="abs", cooldown=cooldown,
        min_lr=0.01, eps=0.0,
    )  # fmt: skip
    fields = {"patience": patience, "cooldown": cooldown, "min_delta": min_delta, "drop": 0.5, "least": 0.01}
    for score, scale in zip(scores, _reactions(schedule_of("reduce_on_plateau", **fields), scores), strict=True):
        oracle.step(score)
        assert scale == pytest.approx(optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("rise", [1, 1.5, 3])
def test_that_a_plateau_counts_from_the_end_of_the_warm_up(rise: float) -> None:
    fields = {"kind": "reduce_on_plateau", "patience": 2, "drop": 0.5}
    scores: list[float | None] = [1.0] * 8
    later = _reactions(schedule_of("warmup", epochs=rise, then=fields), scores)
    own = _reactions(schedule_of("reduce_on_plateau", **{k: v for k, v in fields.items() if k != "kind"}), scores)
    first = ceil(rise)
    assert later == [1.0] * first + own[: 8 - first]


def test_that_warm_up_rises_in_equal_steps_to_the_whole_rate() -> None:
    curve = _curve(schedule_of("warmup", epochs=2, start=0.2))
    rise = curve[: 2 * STEPS]
    assert rise[-1] == 1
    assert rise == pytest.approx([0.2 + 0.8 * (step + 1) / 16 for step in range(16)])
    assert set(curve[2 * STEPS :]) == {1.0}


@pytest.mark.parametrize("then", sorted(set(ScheduleSpec.kinds()) - {"warmup", "one_cycle"}))
@pytest.mark.parametrize("rise", [1, 3])
def test_that_after_the_warm_up_the_other_schedule_starts_from_its_beginning(then: str, rise: int) -> None:
    curve = _curve(schedule_of("warmup", epochs=rise, then={"kind": then}))
    assert curve[rise * STEPS :] == pytest.approx(_curve(schedule_of(then), EPOCHS - rise))


def test_that_a_warm_up_may_end_within_an_epoch() -> None:
    schedule = schedule_of("warmup", epochs=1.5, then="cosine")
    curve = _curve(schedule)
    rest = STEPS * EPOCHS - 12
    assert curve[11] == 1
    assert curve[12:] == pytest.approx([0.5 * (1 + cos(pi * step / rest)) for step in range(rest)])


def test_that_a_warm_up_longer_than_the_run_only_rises() -> None:
    curve = _curve(schedule_of("warmup", epochs=100, start=0.0, then="cosine"))
    assert curve == sorted(curve)
    assert curve[-1] < 0.2


@pytest.mark.parametrize("kind", sorted(ScheduleSpec.kinds()))
@given(epoch=st.integers(0, 1000), within=st.floats(0, 1, exclude_max=True), epochs=st.integers(0, 1000),
       steps=st.integers(1, 100))  # fmt: skip
def test_that_a_factor_is_always_a_share_of_the_rate(
    kind: str, epoch: int, within: float, epochs: int, steps: int
) -> None:
    moment = Moment(epoch, epoch * steps + int(within * steps), epochs, steps)
    assert 0 <= schedule_of(kind).factor(moment) <= 1


def test_that_every_kind_has_a_test_here() -> None:
    assert set(ScheduleSpec.kinds()) == {
        "constant", "inverse_time", "exponential", "inverse_sqrt", "staircase", "cosine", "warmup", "one_cycle",
        "polynomial", "reduce_on_plateau",
    }  # fmt: skip

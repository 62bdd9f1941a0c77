"""The learning rate range test: what a curve says, and that trying rates out changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.small_runs import picture_recipe, table_recipe, train, write_pictures, write_table

from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.errors import InputError, RunError
from workbench.session.experiment import job_of
from workbench.session.prepare import Prepared, prepare, prepare_at_hand
from workbench.session.rates import RangeTest, judged, range_test
from workbench.store.run_folder import RunFolder
from workbench.training.loop import Job, Training
from workbench.training.rates import losses_at

RATES = np.geomspace(1e-6, 10, 200)


def _curve(noise: float = 0.0, seed: int = 0, middle: float = 1e-2, turn: float = 0.3) -> RangeTest:
    """A loss that falls from 2.3 to 0.3, fastest at ``middle``, and explodes from ``turn`` on."""
    x, random = np.log10(RATES), np.random.default_rng(seed)
    losses = 0.3 + 2 / (1 + np.exp(4 * (x - np.log10(middle)))) + 4 * np.maximum(0, x - np.log10(turn)) ** 2
    return judged(RATES.tolist(), (losses + noise * random.normal(size=len(x))).tolist(), "range")


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("middle", [1e-3, 1e-2])
def test_that_the_steepest_fall_and_the_minimum_are_found_within_a_third_of_a_decade(
    noise: float, middle: float
) -> None:
    for seed in range(5):
        found = _curve(noise, seed, middle, turn=30 * middle)
        assert found.doubt == ""
        assert found.steepest == pytest.approx(middle, rel=1.2)
        assert found.steepest > middle / 2.2
        assert 10 * middle / 3 < found.minimum < 60 * middle
        assert found.suggestion == float(f"{min(found.steepest, found.tenth):.1e}")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), level=st.floats(0.05, 50), noise=st.floats(0, 0.4))
@example(seed=4822, level=1.0, noise=0.25)  # its first steps happen to lie close together
def test_that_a_flat_curve_says_nothing_however_noisy(seed: int, level: float, noise: float) -> None:
    losses = level * (1 + noise * np.random.default_rng(seed).uniform(-1, 1, len(RATES)))
    found = judged(RATES.tolist(), losses.tolist(), "range")
    assert (found.steepest, found.minimum, found.tenth, found.suggestion) == (None, None, None, None)
    assert found.doubt


def test_that_each_doubt_says_what_to_do() -> None:
    x = np.log10(RATES)
    rising, falling = 1 + np.maximum(0, x + 5), 3 - np.maximum(0, x + 2)
    cases = [
        (np.ones(200), "range", "hardly changes from 1e-06 to 10"),
        (rising, "exploded", "begin with a smaller rate"),
        (falling, "range", "still falls at 10, the end of the range: try larger rates"),
        (rising[:12], "exploded", "within the first steps"),
        (rising[:0], "not finite", "within the first steps"),
    ]
    for losses, ended, text in cases:
        found = judged(RATES.tolist()[: len(losses)], losses.tolist(), ended)  # type: ignore[arg-type]
        assert text in found.doubt
        assert found.suggestion is None


def test_that_the_smoothed_curve_is_the_bias_corrected_average() -> None:
    found = judged([1.0, 2.0, 4.0], [3.0, 5.0, 4.0], "range")
    second = (0.1 * 5 + 0.9 * 0.1 * 3) / (1 - 0.9**2)
    assert found.smoothed[:2] == pytest.approx((3.0, second))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rates")
    write_table(folder, rows=600)
    write_pictures(folder)
    return folder


def _prepared(data: Path, **training: Any) -> Prepared:
    return prepare(table_recipe(data / "table.csv", **training), device="cpu", threads=1)


def test_that_real_training_gives_a_rate_that_trains_well(data: Path, tmp_path: Path) -> None:
    prepared = _prepared(data, optimizer="sgd")
    found = range_test(prepared)
    assert found.suggestion is not None
    assert found.ended in ("exploded", "range")
    errors = {}
    for rate in (found.suggestion, 1e-5):
        changed = _prepared(data, optimizer={"kind": "sgd", "learning_rate": rate}, epochs=5)
        with RunFolder.create(tmp_path / str(rate), changed.recipe) as folder:
            training, events = train(changed, folder)
            list(events)
            errors[rate] = training.measure(changed.dataset.sets["train"]).loss
    assert errors[found.suggestion] < 0.8 * errors[1e-5]


def test_that_it_ends_early_where_the_loss_explodes(data: Path) -> None:
    found = range_test(_prepared(data, optimizer="sgd"), high=1e6)
    assert found.ended in ("exploded", "not finite")
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 200
    assert np.isfinite(found.losses).all()
    # From the first step on, a rate that is far too large explodes.
    found = range_test(_prepared(data, optimizer="sgd"), low=1e6, high=1e8)
    assert len(found.losses) < 10
    assert "begin with a smaller rate" in found.doubt


def test_that_the_loss_at_a_rate_is_the_one_after_its_step(data: Path) -> None:
    prepared = prepare(
        table_recipe(data / "table.csv", optimizer="sgd", batch_size=10_000, shuffle=False), device="cpu", threads=1
    )
    from workbench.engine.shards import ShardPool

    pool = ShardPool(1)
    losses = list(losses_at(job_of(prepared, "x"), pool, [0.5, 1e-12, 1e-12]))
    pool.close()
    assert len(losses) == 4
    assert losses[1] < losses[0]
    assert losses[2] == pytest.approx(losses[1], rel=1e-5)


def test_that_gathered_batches_make_one_step_as_a_batch_of_all_of_them(data: Path) -> None:
    recipe = table_recipe(data / "table.csv", optimizer="sgd", shuffle=False)
    both = [
        prepare(recipe.replace({f"training.{key}": value for key, value in sizes.items()}), device="cpu", threads=1)
        for sizes in ({"batch_size": 90}, {"batch_size": 30, "accumulate": 3})
    ]
    losses = [range_test(prepared, steps=30, high=1.0).losses for prepared in both]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_that_trying_rates_changes_nothing(data: Path, tmp_path: Path) -> None:
    """Weights, running statistics, optimizer state, random numbers and files of a run that has begun stay."""
    recipe = picture_recipe(data / "pictures.npz", optimizer="adam", dropout=0.2)
    recipe = recipe.replace("data.augment", [{"kind": "noise", "sigma": 0.05}])
    prepared = prepare(recipe, device="cpu", threads=1)
    inputs = prepared.dataset.inputs.copy()

    def trained(name: str, *, tested: bool) -> Training:
        with RunFolder.create(tmp_path / name, recipe) as folder:
            training, events = train(prepared, folder)
            for number, _ in enumerate(events):
                if tested and number == 7:
                    before, files = training.stepper.tensors(), _everything(tmp_path / name)
                    state = training.state.facts()
                    range_test(prepared)
                    for key, array in training.stepper.tensors().items():
                        np.testing.assert_array_equal(array, before[key], err_msg=key)
                    assert training.state.facts() == state
                    assert _everything(tmp_path / name) == files
        return training

    plain = trained("plain", tested=False)
    tested = trained("tested", tested=True)
    for name, array in plain.stepper.tensors().items():
        np.testing.assert_array_equal(array, tested.stepper.tensors()[name], err_msg=name)
    np.testing.assert_array_equal(prepared.dataset.inputs, inputs)


def test_that_it_gives_the_same_curve_twice_and_begins_with_the_recipes_weights(data: Path, tmp_path: Path) -> None:
    prepared = _prepared(data)
    first = range_test(prepared, steps=40)
    assert range_test(prepared, steps=40) == first
    from support.finished_runs import finished_run

    finished_run(table_recipe(data / "table.csv", epochs=15), tmp_path / "run")
    later = prepare(
        prepared.recipe.replace("training.start_from", {"path": str(tmp_path / "run")}), device="cpu", threads=1
    )
    assert range_test(later, steps=40).losses[0] < 0.8 * first.losses[0]


def test_that_progress_is_told_and_may_end_it(data: Path) -> None:
    told: list[tuple[str, int, int]] = []
    range_test(_prepared(data), steps=40, high=1e-3, progress=lambda *what: told.append(what))
    assert [done for _, done, _ in told] == list(range(41))
    assert {total for _, _, total in told} == {40}

    class Enough(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise Enough

    with pytest.raises(Enough):
        range_test(_prepared(data), progress=stop)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [({"low": 0.0}, "must rise"), ({"low": 1.0, "high": 0.1}, "not from 1 to 0.1"), ({"steps": 5}, "takes 30 to")],
)
def test_that_a_range_that_is_none_is_refused(data: Path, wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        range_test(_prepared(data), **wrong)


def test_that_the_window_uses_kernels_that_are_there_and_compiles_none(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[type[Backend]] = []

    def spied(training: Training, job: Job, *others: Any) -> None:
        used.append(type(job.backend))
        begin(training, job, *others)

    begin = Training.__init__
    monkeypatch.setattr(Training, "__init__", spied)
    recipe = table_recipe(data / "table.csv")
    prepared = prepare_at_hand(recipe, prepare(recipe, device="cpu", threads=1).dataset, 1)
    assert isinstance(prepared.backend, CompiledBackend)
    whole = range_test(prepared, steps=40)
    there = range_test(prepared, steps=40, compiles=False)
    assert used == [CompiledBackend, CompiledBackend]
    assert there == whole
    monkeypatch.setattr(CompiledBackend, "ready", lambda _: False)
    monkeypatch.setattr("workbench.engine.kernels.native.Function.prepare", lambda _: pytest.fail("compiles"))
    plain = range_test(prepared, steps=40, compiles=False)
    assert used[2:] == [CompiledBackend, Backend]
    np.testing.assert_allclose(plain.losses[:20], whole.losses[:20], rtol=1e-3)


def test_that_memory_that_runs_out_is_told_with_a_way_out(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = _prepared(data)

    def fail(*_: object) -> Any:
        raise MemoryError

    monkeypatch.setattr("workbench.training.rates.Training", fail)
    assert isinstance(prepared.backend, Backend)
    with pytest.raises(RunError, match=r"training\.batch_size = 16"):
        range_test(prepared)

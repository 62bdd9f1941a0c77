"""The feeder: what stands in a plan's buffers is the plain formula, wherever the examples lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.backends import COMPILED
from support.emulated import needs_compiler
from support.networks import loss_of, network_of, random_parameters
from support.standin.module import nothing_leaves, on_host, stand_in

from workbench.data.augment.pipeline import preview
from workbench.data.dataset import load_dataset
from workbench.data.feeder import Feeder, column_deviations
from workbench.engine.backend import Backend
from workbench.engine.compiled_backend import CompiledBackend
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.errors import RecipeError
from workbench.recipe.data import DataRecipe
from workbench.recipe.kinds import AugmentSpec

Array = np.ndarray[Any, Any]
NUMBERS = np.random.default_rng(5)


@dataclass(frozen=True)
class Normalizer:
    """What a feeder reads from an encoder."""

    shift: Array
    scale: Array
    task: str = "classification"
    target_shift: float = 0.0
    target_scale: float = 1.0


@dataclass(frozen=True)
class Examples:
    """What a feeder reads from a dataset."""

    inputs: Array
    targets: Array
    strengths: Array
    encoder: Normalizer
    sets: dict[str, Array] = field(default_factory=dict)


def _plan(
    shape: tuple[int, ...], backend: Backend, batch: int = 16, regression: bool = False, dtype: Any = "f4"
) -> Plan:
    layers = [{"kind": "flatten"}] if len(shape) > 1 else []
    network = network_of([*layers, {"kind": "dense", "units": "classes"}], shape, 1 if regression else 5)
    parameters = random_parameters(network, dtype, backend=backend)
    loss = loss_of("mean_squared_error" if regression else "cross_entropy")
    return Plan(parameters, loss, batch, training=False, pool=ShardPool(1))


def _pictures(channels: int = 3, dtype: Any = np.uint8, count: int = 60) -> Examples:
    inputs = NUMBERS.integers(0, 256, (count, 8, 7, channels)).astype(dtype)
    normalizer = Normalizer(
        NUMBERS.uniform(50, 150, channels).astype("f4"), NUMBERS.uniform(0.01, 0.02, channels).astype("f4")
    )
    strengths = NUMBERS.uniform(0, 2, count).astype("f4")
    return Examples(inputs, NUMBERS.integers(0, 5, count), strengths, normalizer, {"train": np.arange(count - 10)})


def _table(count: int = 300) -> Examples:
    inputs = (NUMBERS.normal(size=(count, 4)) * [1, 10, 0.1, 3] + [1000, 0, 5, -2]).astype("f4")
    normalizer = Normalizer(np.array([1000, 1, 5, -2], "f4"), np.array([1, 0.1, 5, 0], "f4"))
    strengths = NUMBERS.uniform(0, 2, count).astype("f4")
    return Examples(inputs, NUMBERS.integers(0, 5, count), strengths, normalizer, {"train": np.arange(count // 2)})


def _sequences(count: int = 60) -> Examples:
    inputs = (NUMBERS.normal(size=(count, 7, 3)) * [1, 10, 0.1] + [1000, 0, 5]).astype("f4")
    normalizer = Normalizer(np.array([1000, 1, 5], "f4"), np.array([1, 0.1, 5], "f4"))
    strengths = NUMBERS.uniform(0, 2, count).astype("f4")
    return Examples(inputs, NUMBERS.integers(0, 5, count), strengths, normalizer, {"train": np.arange(count - 10)})


def _augment(*given: Any) -> tuple[AugmentSpec, ...]:
    return DataRecipe.model_validate({"augment": list(given)}).augment


def _formula(examples: Any, rows: Array) -> Array:
    return (examples.inputs[rows].astype("f4") - examples.encoder.shift) * examples.encoder.scale


def _filled(examples: Any, rows: Array, epoch: int | None = None, backend: Any = None, **given: Any) -> Array:
    backend = backend or Backend()
    plan = _plan(examples.inputs.shape[1:], backend, len(rows))
    assert Feeder(examples, backend, **given).fill(plan, rows, epoch) == len(rows)
    return on_host(backend, plan.input)


def _assert_fed(plan: Plan, examples: Any, rows: Array) -> None:
    """The plan holds what the plain formula gives."""
    expected = _formula(examples, rows), examples.targets[rows], examples.strengths[rows]
    for found, values in zip((plan.input, plan.targets, plan.strengths), expected, strict=True):
        np.testing.assert_array_equal(on_host(plan.backend, found[: len(rows)]), values)


CASES = {
    "a table": _table,
    "sequences": _sequences,
    "gray pictures": lambda: _pictures(1),
    "color pictures": lambda: _pictures(3),
    "float pictures": lambda: _pictures(2, np.float32),
}
BACKENDS: dict[Any, Any] = {
    "the CPU": lambda _: Backend(),
    "a device that holds the data": lambda patch: stand_in(patch)[0],
    "a device without room": lambda patch: _without_room(stand_in(patch)[0]),
    "a device with kernels": lambda patch: stand_in(patch, kernels=True)[0],
}
on_backends = pytest.mark.parametrize(
    "backend", [pytest.param(name, marks=[needs_compiler] if "kernels" in name else []) for name in BACKENDS]
)


def _without_room(backend: Any) -> Any:
    backend.free_bytes = lambda: 100
    return backend


@on_backends
@pytest.mark.parametrize("case", CASES)
def test_that_a_plan_gets_the_plain_formula(case: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examples, where = CASES[case](), BACKENDS[backend](monkeypatch)
    plan, feeder = _plan(examples.inputs.shape[1:], where), Feeder(examples, where)
    assert feeder.supply.resident == (backend != "a device without room")
    rows = NUMBERS.permutation(len(examples.inputs))
    for piece in feeder.batches(rows, 16):
        assert feeder.fill(plan, piece) == len(piece)
        _assert_fed(plan, examples, piece)
    counts = list[int]()
    for count in feeder.passing(plan, rows):
        _assert_fed(plan, examples, rows[sum(counts) : sum(counts) + count])
        counts.append(count)
    assert sum(counts) == len(rows)


def test_that_a_plan_in_float64_is_fed_in_float64() -> None:
    examples = _pictures()
    plan, rows = _plan((8, 7, 3), Backend(), dtype=np.float64), np.arange(16)
    Feeder(examples, Backend(), dtype=np.float64).fill(plan, rows)
    shift, scale = (part.astype(np.float64) for part in (examples.encoder.shift, examples.encoder.scale))
    np.testing.assert_array_equal(plan.input, (examples.inputs[rows] - shift) * scale)


def test_that_the_last_smaller_batch_leaves_the_rest_of_the_buffers_alone() -> None:
    examples = _table()
    plan, feeder = _plan((4,), Backend()), Feeder(examples, Backend())
    feeder.fill(plan, np.arange(16))
    before = plan.input.copy()
    assert feeder.fill(plan, np.array([200, 7, 7])) == 3
    np.testing.assert_array_equal(plan.input[3:], before[3:])
    np.testing.assert_array_equal(plan.input[:3], _formula(examples, np.array([200, 7, 7])))
    assert feeder.fill(plan, np.array([], np.int64)) == 0


def test_that_a_plan_is_fed_where_it_lies_also_if_its_array_has_the_number_of_one_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workbench.data.feeder.id", lambda _: 7, raising=False)
    examples, rows = _table(), np.array([3, 200, 7])
    feeder = Feeder(examples, COMPILED)
    for plan in (_plan((4,), COMPILED), _plan((4,), COMPILED)):
        assert feeder.fill(plan, rows) == 3
        np.testing.assert_allclose(plan.input[:3], _formula(examples, rows), rtol=1e-6)


def test_that_batches_cover_all_rows_in_order() -> None:
    rows = NUMBERS.permutation(50)
    pieces = list(Feeder.batches(rows, 16))
    assert [len(piece) for piece in pieces] == [16, 16, 16, 2]
    np.testing.assert_array_equal(np.concatenate(pieces), rows)


@pytest.mark.parametrize("row", [-1, 300, 2**40])
def test_that_a_row_that_does_not_exist_is_refused(row: int) -> None:
    feeder = Feeder(_table(), Backend())
    with pytest.raises(IndexError, match="of a dataset of 300"):
        feeder.fill(_plan((4,), Backend()), np.array([3, row]))


@on_backends
def test_that_a_regressions_targets_are_normalized(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, table = BACKENDS[backend](monkeypatch), _table()
    targets = NUMBERS.normal(100, 20, (300, 1)).astype("f4")
    normalizer = Normalizer(table.encoder.shift, table.encoder.scale, "regression", 99.5, 18.25)
    examples = Examples(table.inputs, targets, table.strengths, normalizer)
    plan, rows = _plan((4,), where, regression=True), np.arange(50, 66)
    Feeder(examples, where).fill(plan, rows)
    np.testing.assert_allclose(on_host(where, plan.targets), (targets[rows] - 99.5) / 18.25, rtol=1e-6)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_that_an_unknown_target_counts_in_no_loss(task: str) -> None:
    table = _table()
    regression = task == "regression"
    targets = np.where(np.arange(300) % 3 == 0, np.nan, 1.0)[:, None] if regression else np.arange(300) % 3 - 1
    normalizer = Normalizer(table.encoder.shift, table.encoder.scale, task)
    examples = Examples(table.inputs, targets, np.ones(300, "f4"), normalizer)
    plan = _plan((4,), Backend(), 9, regression)
    Feeder(examples, Backend()).fill(plan, np.arange(9))
    np.testing.assert_array_equal(plan.strengths, [0, 1, 1] * 3)
    # The loss looks up the logit of the target's class, so even where it counts for nothing there must be one.
    assert (plan.targets >= 0).all()
    plan.run(9)
    with_unknown = plan.sums[0]
    Feeder(examples, Backend()).fill(plan, np.array([1, 2, 4, 5, 7, 8]))
    plan.run(6)
    np.testing.assert_allclose(with_unknown, plan.sums[0], rtol=1e-6)
    assert np.isfinite(with_unknown)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_that_memory_mapped_pictures_are_fed_like_others(tmp_path: Path, dtype: Any) -> None:
    examples = _pictures(dtype=dtype)
    np.save(tmp_path / "inputs.npy", examples.inputs)
    mapped = np.load(tmp_path / "inputs.npy", mmap_mode="r")
    on_disk = Examples(mapped, examples.targets, examples.strengths, examples.encoder, examples.sets)
    rows, augment = np.array([50, 2, 2, 31]), _augment("rotate", "noise")
    np.testing.assert_array_equal(_filled(on_disk, rows), _formula(examples, rows))
    changed = _filled(on_disk, rows, 1, augment=augment)
    np.testing.assert_array_equal(changed, _filled(examples, rows, 1, augment=augment))


@on_backends
@pytest.mark.parametrize("case", ["gray pictures", "color pictures", "float pictures"])
def test_that_training_sees_what_the_preview_shows(case: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examples, rows = CASES[case](), np.array([9, 4, 30, 11])
    augment = _augment("rotate", "noise", "crop", "contrast")
    shown = preview(augment, examples.inputs[rows], rows, seed=3, epoch=7, value_range=(0.0, 255.0))
    expected = (shown - examples.encoder.shift) * examples.encoder.scale
    changed = _filled(examples, rows, 7, BACKENDS[backend](monkeypatch), augment=augment, seed=3)
    np.testing.assert_array_equal(changed, expected)


@pytest.mark.parametrize("case", CASES)
def test_that_nothing_is_augmented_without_an_epoch(case: str) -> None:
    examples, rows = CASES[case](), np.arange(16)
    feeder, plan = Feeder(examples, Backend(), _augment("noise")), _plan(examples.inputs.shape[1:], Backend())
    feeder.fill(plan, rows, 0)
    assert (plan.input != _formula(examples, rows)).any()
    feeder.fill(plan, rows)
    np.testing.assert_array_equal(plan.input, _formula(examples, rows))


def test_that_noise_on_a_table_follows_each_columns_deviation_and_strength() -> None:
    examples = _table(4000)
    rows = np.arange(4000)
    noise = _filled(examples, rows, 0, augment=_augment({"kind": "noise", "sigma": 0.5})) - _formula(examples, rows)
    deviations = examples.inputs[:2000].std(axis=0, dtype=np.float64) * examples.encoder.scale
    np.testing.assert_allclose(noise.std(axis=0), 0.5 * deviations, rtol=0.06)
    # A column that is left out by its strength stays out.
    assert (noise[:, 3] == 0).all()


@settings(max_examples=25, deadline=None)
@given(epoch=st.integers(0, 1000), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_that_an_example_is_changed_the_same_in_any_batch(epoch: int, seed: int, data: Any) -> None:
    for examples, augment in ((_pictures(), _augment("shift", "noise", "blur")), (_table(), _augment("noise"))):
        rows = np.arange(20, 36)
        whole = _filled(examples, rows, epoch, augment=augment, seed=seed)
        some = np.array(data.draw(st.lists(st.integers(0, 15), min_size=1, max_size=16)))
        part = _filled(examples, rows[some], epoch, augment=augment, seed=seed)
        np.testing.assert_array_equal(part, whole[some])


def test_that_noise_on_sequences_follows_each_features_deviation_at_all_steps() -> None:
    examples, rows = _sequences(3000), np.arange(2990)
    noise = _filled(examples, rows, 0, augment=_augment({"kind": "noise", "sigma": 0.5})) - _formula(examples, rows)
    deviations = examples.inputs[:2990].std(axis=(0, 1), dtype=np.float64) * examples.encoder.scale
    np.testing.assert_allclose(noise.std(axis=0), np.tile(0.5 * deviations, (7, 1)), rtol=0.08)


@pytest.mark.parametrize(("case", "what"), [(_table, "a table"), (_sequences, "sequences")])
def test_that_only_pictures_can_be_turned(case: Any, what: str) -> None:
    with pytest.raises(RecipeError, match=rf"data\.augment\[1\]: rotate changes pictures, not {what}"):
        Feeder(case(), Backend(), _augment("noise", "rotate"))


def test_that_data_lie_on_the_device_only_where_a_fifth_stays_free(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, (backend, _) = _pictures(), stand_in(monkeypatch)
    size = examples.inputs.nbytes
    assert Feeder(examples, Backend()).supply.resident
    for free, resident in ((size * 5 // 4 + 2, True), (size * 5 // 4 - 2, False), (None, False)):
        backend.free_bytes = lambda free=free: free
        assert Feeder(examples, backend).supply.resident == resident


def test_that_a_device_that_runs_out_of_memory_is_fed_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, (backend, device) = _table(), stand_in(monkeypatch)
    device.fails_above = examples.inputs.nbytes - 1
    feeder = Feeder(examples, backend)
    assert not feeder.supply.resident
    plan = _plan((4,), backend)
    feeder.fill(plan, np.arange(16))
    _assert_fed(plan, examples, np.arange(16))


@pytest.mark.parametrize("piece", [1, 1000, 2**26])
def test_that_data_are_uploaded_piece_by_piece(piece: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("workbench.engine.cupy_backend._UPLOAD", piece)
    examples, (backend, device) = _pictures(), stand_in(monkeypatch)
    np.save(tmp_path / "inputs.npy", examples.inputs)
    there = backend.upload(np.load(tmp_path / "inputs.npy", mmap_mode="r"))
    np.testing.assert_array_equal(on_host(backend, there), examples.inputs)
    assert device.counts.uploaded == examples.inputs.nbytes
    assert device.counts.uploads == -(-60 // max(1, piece // examples.inputs[0].nbytes))
    assert backend.upload(np.zeros((0, 3), np.float32)).shape == (0, 3)


def test_that_feeders_share_what_lies_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    examples, (backend, device) = _pictures(), stand_in(monkeypatch)
    first = Feeder(examples, backend)
    before = device.counts.uploaded
    assert before > examples.inputs.nbytes
    second = Feeder(examples, backend, _augment("rotate"), supply=first.supply)
    assert device.counts.uploaded == before
    plan, rows = _plan((8, 7, 3), backend), np.arange(9, 25)
    second.fill(plan, rows)
    _assert_fed(plan, examples, rows)


@pytest.mark.parametrize("case", CASES)
def test_that_a_pass_waits_for_nothing_and_brings_each_row_once(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examples, (backend, device) = CASES[case](), stand_in(monkeypatch)
    rows = NUMBERS.permutation(48)
    for room in (True, False):
        backend.free_bytes = lambda room=room: 2**40 if room else 0
        feeder, plan = Feeder(examples, backend), _plan(examples.inputs.shape[1:], backend)
        kept = list[Any]()
        feeder.fill(plan, rows[:16])
        device.forget()
        # The last of a stager's copies on the second stream may still go on, which only its own next use waits for.
        with nothing_leaves(device):
            kept += [plan.input[:count].copy() for count in feeder.passing(plan, rows)]
        size = examples.inputs[0].nbytes * len(rows)
        assert device.counts.uploaded == rows.nbytes + (0 if room else size)
        found = np.concatenate([on_host(backend, piece) for piece in kept])
        np.testing.assert_array_equal(found, _formula(examples, rows))


def test_that_columns_are_measured_without_losing_digits() -> None:
    table = (NUMBERS.normal(size=(10_001, 3)) * [1e-2, 1, 0] + [100, 0, 7]).astype("f4")
    rows = NUMBERS.permutation(10_001)[:9000]
    expected = table[rows].astype(np.float64).std(axis=0)
    np.testing.assert_allclose(column_deviations(table, rows), expected, rtol=1e-9, atol=1e-12)
    assert column_deviations(table, rows[:0]).tolist() == [0, 0, 0]


def test_that_a_dataset_from_a_file_is_fed(tmp_path: Path) -> None:
    lines = [f"{i % 17},{(i * 7) % 23 / 10},{'red' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}" for i in range(80)]
    (tmp_path / "data.csv").write_text("\n".join(["size,weight,color,sold", *lines]))
    sources = [{"path": str(tmp_path / "data.csv")}]
    dataset = load_dataset(DataRecipe.model_validate({"sources": sources, "target": "sold"}))
    plan, rows = _plan(dataset.inputs.shape[1:], Backend()), dataset.sets["train"][:16]
    Feeder(dataset, Backend()).fill(plan, rows)
    np.testing.assert_array_equal(plan.input, _formula(dataset, rows))
    np.testing.assert_array_equal(plan.targets, dataset.targets[rows])


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
def test_that_a_gpu_is_fed_as_numpy_is(case: str) -> None:
    pytest.importorskip("cupy")
    from workbench.engine.device import open_backend

    backend, examples = open_backend("cuda"), CASES[case]()
    augment, rows = (
        _augment("noise") if case in ("a table", "sequences") else _augment("rotate", "noise", "blur"),
        NUMBERS.permutation(60),
    )
    for resident in (True, False):
        backend.free_bytes = lambda resident=resident: 2**40 if resident else 0  # type: ignore[method-assign]
        plan, feeder = _plan(examples.inputs.shape[1:], backend), Feeder(examples, backend, augment)
        assert feeder.supply.resident == resident
        start = 0
        for count in feeder.passing(plan, rows, 2):
            expected = _filled(examples, rows[start : start + count], 2, augment=augment)
            np.testing.assert_allclose(on_host(backend, plan.input[:count]), expected, rtol=1e-4, atol=1e-4)
            start += count


def test_that_labels_are_fed_as_1_and_0_and_unknown_ones_below_0() -> None:
    labels = np.array([[1, 0], [np.nan, 1], [np.nan, np.nan], [0, 0]], np.float32)
    normalizer = Normalizer(np.zeros(2, np.float32), np.ones(2, np.float32), "multilabel")
    examples = Examples(np.zeros((4, 2), np.float32), labels, np.ones(4, np.float32), normalizer)
    network = network_of([{"kind": "dense", "units": 2}], (2,), 2)
    for backend in (Backend(), COMPILED):
        parameters = random_parameters(network, backend=backend)
        plan = Plan(parameters, loss_of("sigmoid_cross_entropy"), 4, training=False, pool=ShardPool(1))
        Feeder(examples, backend).fill(plan, np.arange(4))
        assert plan.targets.tolist() == [[1, 0], [-1, 1], [-1, -1], [0, 0]]
        assert plan.strengths.tolist() == [1, 1, 0, 1]


def test_that_a_batch_that_was_never_computed_does_not_come_back() -> None:
    examples, rows = _table(), np.arange(16)
    backend = CompiledBackend()
    plan, feeder = _plan((4,), backend), Feeder(examples, backend)
    next(feeder.passing(plan, rows + 16))
    feeder.fill(plan, rows[:9])
    plan.run(9)
    np.testing.assert_allclose(plan.input[:9], _formula(examples, rows[:9]), rtol=1e-4, atol=1e-5)

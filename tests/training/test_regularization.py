"""What keeps weights and gradients small, and what leaves frozen layers alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.backends import COMPILED, PLAIN, on_both
from support.layer_rig import assert_close
from support.networks import network_of, random_parameters
from support.torch_twin import NetworkTwin, to_torch, weights_of

from workbench.engine.backend import Backend
from workbench.engine.parameters import Parameters, Tensors
from workbench.engine.shards import ShardPool
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.training.stepper import Stepper

LAYERS = [
    {"kind": "conv2d", "filters": 3, "name": "conv"},
    {"kind": "batch_norm", "name": "norm"},
    {"kind": "flatten", "name": "flat"},
    {"kind": "dense", "units": 6, "name": "held", "frozen": True},
    {"kind": "dense", "units": "classes", "name": "end"},
]
SHAPE = (4, 4, 2)
STILL = {"kind": "sgd", "learning_rate": 1.0}


def _stepper(
    dtype: Any = np.float64, layers: Any = LAYERS, backend: Backend = PLAIN, threads: int = 1, **training: Any
) -> Stepper:
    recipe = Recipe.parse({"training": training}).training
    parameters = random_parameters(network_of(layers, SHAPE), dtype, backend=backend)
    stepper = Stepper(recipe, parameters, 8, ShardPool(threads))
    numbers = np.random.default_rng(2)
    stepper.plan.input[...] = numbers.normal(size=stepper.plan.input.shape)
    stepper.plan.targets[...] = numbers.integers(0, 3, 8)
    stepper.plan.strengths[...] = numbers.uniform(0.5, 2.0, 8)
    return stepper


def _gradient(parameters: Parameters, vector: Any) -> Tensors:
    layout = parameters.layout
    return {slot.name: slot.view(vector).copy() for slot in layout.trained_slots()}


def _changed(**training: Any) -> tuple[Tensors, Tensors, Tensors]:
    """Gradients before and after regularization, and the weights."""
    stepper = _stepper(**training)
    stepper.plan.run(8)
    before = _gradient(stepper.parameters, stepper.plan.gradient)
    stepper.regularization.change(stepper.plan.gradient)
    weights = _gradient(stepper.parameters, stepper.parameters.values)
    return before, _gradient(stepper.parameters, stepper.plan.gradient), weights


@pytest.mark.parametrize(("l1", "l2"), [(0.03, 0.0), (0.0, 0.2), (0.03, 0.2)])
def test_that_penalties_add_their_slopes_to_the_gradients_of_weights_only(l1: float, l2: float) -> None:
    before, after, weights = _changed(l1=l1, l2=l2)
    for name, gradient in before.items():
        slope = l2 * weights[name] + l1 * np.sign(weights[name]) if name.endswith(".weight") else 0.0
        assert_close(after[name], gradient + (0 if name.startswith("norm.") else slope), 1e-12, name)
    assert set(before) == {"conv.weight", "conv.bias", "norm.weight", "norm.bias", "end.weight", "end.bias"}


def test_that_the_penalty_is_what_its_slopes_are_of() -> None:
    stepper = _stepper(l1=0.03, l2=0.2)
    weights = stepper.parameters.values[: stepper.parameters.layout.decayed]
    assert stepper.penalty() == pytest.approx(0.1 * (weights**2).sum() + 0.03 * abs(weights).sum(), rel=1e-12)
    gradient = np.zeros(stepper.parameters.layout.trained)
    stepper.regularization.change(gradient)
    for place in range(0, len(weights), 7):
        kept, found = weights[place], []
        for step in (1e-6, -1e-6):
            weights[place] = kept + step
            found.append(stepper.penalty())
        weights[place] = kept
        assert gradient[place] == pytest.approx((found[0] - found[1]) / 2e-6, rel=1e-6, abs=1e-8)


def test_that_a_weight_of_0_feels_no_l1() -> None:
    stepper = _stepper(l1=0.5)
    stepper.parameters.values[:3] = 0
    gradient = np.zeros(stepper.parameters.layout.trained)
    stepper.regularization.change(gradient)
    assert (gradient[:3] == 0).all()
    assert set(abs(gradient[3 : stepper.parameters.layout.decayed])) == {0.5}


def test_that_gradients_are_cut_off_number_by_number_then_by_length() -> None:
    before, after, _ = _changed(clip_value=0.02)
    for name, gradient in before.items():
        assert_close(after[name], np.clip(gradient, -0.02, 0.02), 1e-12)
    assert any((abs(gradient) > 0.02).any() for gradient in before.values())
    _, both, _ = _changed(clip_value=0.02, clip_norm=0.05)
    assert np.sqrt(sum((gradient**2).sum() for gradient in both.values())) == pytest.approx(0.05, rel=1e-3)
    for name, gradient in both.items():
        assert_close(gradient / abs(gradient).max(), after[name] / abs(after[name]).max(), 1e-9)


@pytest.mark.oracle
def test_that_values_are_clipped_as_in_torch() -> None:
    torch = pytest.importorskip("torch")
    before, after, _ = _changed(clip_value=0.02)
    for name, gradient in before.items():
        parameter = torch.nn.Parameter(torch.zeros(gradient.shape, dtype=torch.float64))
        parameter.grad = torch.from_numpy(gradient.copy())
        torch.nn.utils.clip_grad_value_([parameter], 0.02)
        assert_close(after[name], parameter.grad.numpy(), 1e-12)


def test_that_no_unit_or_filter_is_longer_than_the_max_norm_after_a_step() -> None:
    stepper, free = _stepper(max_norm=0.8, optimizer=STILL), _stepper(optimizer=STILL)
    before = stepper.parameters.export()
    for one in (stepper, free):
        one.step(8, 0.3, 1)
    limited, wild = stepper.parameters.export(), free.parameters.export()
    shortened = 0
    for name in ("conv.weight", "end.weight"):
        for row, other in zip(limited[name], wild[name], strict=True):
            norm = np.linalg.norm(other)
            assert_close(row, other * min(1.0, 0.8 / norm), 1e-12)
            shortened += norm > 0.8
    assert shortened
    assert (np.linalg.norm(before["held.weight"], axis=1) > 0.8).any()
    for name in limited:
        if not name.endswith(".weight") or name.startswith("norm."):
            assert np.array_equal(limited[name], wild[name])
    assert np.array_equal(limited["held.weight"], before["held.weight"])


@pytest.mark.oracle
def test_that_the_max_norm_is_torchs_renorm() -> None:
    torch = pytest.importorskip("torch")
    stepper = _stepper(np.float32, max_norm=0.5)
    expected = {name: torch.renorm(torch.from_numpy(array), 2, 0, 0.5).numpy()
                for name, array in stepper.parameters.export().items()
                if name in ("conv.weight", "end.weight")}  # fmt: skip
    stepper.regularization.limit()
    for name, array in expected.items():
        assert_close(stepper.parameters.export()[name], array, 1e-6)


COMBINED = [
    {"l1": 0.03},
    {"l2": 0.2, "clip_value": 0.02},
    {"clip_norm": 0.1},
    {"clip_norm": 1e6},
    {"l1": 0.01, "l2": 0.1, "clip_value": 0.05, "clip_norm": 0.2},
    {},
]


@pytest.mark.parametrize("settings", COMBINED)
def test_that_compiled_kernels_change_a_gradient_as_arrays_do(settings: dict[str, float]) -> None:
    plain, compiled = (_stepper(np.float32, backend=backend, **settings) for backend in (PLAIN, COMPILED))
    for seed in range(3):
        gradient = np.random.default_rng(seed).normal(size=plain.parameters.layout.trained).astype(np.float32)
        changed = gradient.copy()
        plain.regularization.change(gradient)
        compiled.regularization.change(changed)
        assert_close(changed, gradient, 1e-6)


@on_both
def test_that_clipping_hides_no_number_that_is_none(backend: Backend) -> None:
    stepper = _stepper(np.float32, backend=backend, clip_value=0.1, clip_norm=1.0)
    gradient = np.ones(stepper.parameters.layout.trained, np.float32)
    gradient[7] = np.nan
    stepper.regularization.change(gradient)
    assert np.isnan(gradient).all()


@pytest.mark.parametrize("units_first", [True, False])
@pytest.mark.parametrize("limit", [0.05, 0.8, 100.0])
def test_that_compiled_kernels_limit_weights_as_arrays_do(limit: float, units_first: bool) -> None:
    layers: list[dict[str, Any]] = LAYERS
    if units_first:
        # A table's rows are units too; they come first in the engine.
        look_up = {"kind": "embedding", "vocabulary": 9, "dimension": 5, "name": "table"}
        layers = [{"kind": "flatten", "name": "flat"}, look_up, {"kind": "flatten", "name": "end_flat"}, LAYERS[-1]]
    plain, compiled = (_stepper(np.float32, layers, backend, max_norm=limit) for backend in (PLAIN, COMPILED))
    before = plain.parameters.values.copy()
    for stepper in (plain, compiled):
        stepper.regularization.limit()
    assert_close(compiled.parameters.values, plain.parameters.values, 1e-6)
    assert np.array_equal(compiled.parameters.values, before) == (limit == 100.0)


def test_that_the_length_of_a_clipped_gradient_does_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.engine.plan._LEAST_SHARD_WORK", 1)
    found = []
    for threads in (1, 2, 3):
        settings: dict[str, Any] = {"clip_norm": 0.1, "max_norm": 0.5, "optimizer": STILL}
        stepper = _stepper(np.float32, backend=COMPILED, threads=threads, **settings)
        gradient = np.random.default_rng(1).normal(size=stepper.parameters.layout.trained).astype(np.float32)
        stepper.regularization.change(gradient)
        for number in range(1, 4):
            stepper.step(8, 0.05, number)
        found.append((gradient, stepper.parameters.values.copy()))
        stepper._pool.close()
    for gradient, values in found[1:]:
        assert np.array_equal(gradient, found[0][0])
        assert_close(values, found[0][1], 2e-6)


@pytest.mark.oracle
def test_that_steps_with_the_elastic_net_equal_torch() -> None:
    torch = pytest.importorskip("torch")
    stepper = _stepper(l1=0.01, l2=0.05, max_norm=1.5, optimizer={"kind": "momentum", "learning_rate": 0.05})
    twin = NetworkTwin(stepper.parameters.network, stepper.parameters.export(), torch.float64)
    trained = [parameter for parameter in twin.modules.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.05, momentum=0.9)
    plan = stepper.plan
    for number in range(1, 6):
        optimizer.zero_grad()
        logits = twin(to_torch(plan.input))
        losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(plan.targets), reduction="none")
        strengths = torch.from_numpy(plan.strengths)
        weights = [weight for weight in weights_of(twin.modules) if weight.requires_grad]
        penalty = sum(0.025 * (weight**2).sum() + 0.01 * weight.abs().sum() for weight in weights)
        ((strengths * losses).sum() / strengths.sum() + penalty).backward()
        optimizer.step()
        with torch.no_grad():
            for weight in weights:
                weight.copy_(torch.renorm(weight, 2, 0, 1.5))
        stepper.step(8, 0.05, number)
    for name, array in twin.tensors().items():
        assert_close(stepper.parameters.export()[name], array, 1e-6, name)


@pytest.mark.parametrize("kind", sorted(OptimizerSpec.kinds()))
def test_that_nothing_touches_what_is_frozen(kind: str) -> None:
    fields = set(OptimizerSpec.kinds()[kind].model_fields) & {"weight_decay", "decoupled_weight_decay"}
    stepper = _stepper(
        optimizer={"kind": kind, **dict.fromkeys(fields, 0.5)},
        l1=0.1, l2=0.1, max_norm=0.1, clip_norm=1.0, clip_value=0.1, ema={"decay": 0.5}, accumulate=2,
    )  # fmt: skip
    before = stepper.parameters.export()
    for number in range(1, 5):
        stepper.gather(8, 2 * number - 1)
        stepper.step(8, 0.05, 2 * number, update=number)
    found = [stepper.parameters.export(), stepper.tensors()]
    with stepper.averaged():
        found.append(stepper.parameters.export())
    for tensors in found:
        for name in ("held.weight", "held.bias"):
            assert np.array_equal(tensors[name], before[name])
        assert not np.array_equal(tensors["end.weight"], before["end.weight"])
    layout = stepper.parameters.layout
    state = {name: array for name, array in found[1].items() if name.startswith("optimizer.")}
    assert {array.shape for array in state.values()} == {(layout.trained,)}
    assert layout.trained == layout.total - 6 * 48 - 6

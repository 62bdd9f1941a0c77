"""Optimizers: their formulas step by step, pieces of a vector, and PyTorch as the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.backends import COMPILED, PLAIN, device_backend, on_device
from support.layer_rig import assert_close
from support.networks import network_of, random_parameters
from support.torch_twin import decay_as_torch, torch_rule

from workbench.engine.backend import Backend
from workbench.engine.parameters import Parameters
from workbench.engine.shards import ShardPool
from workbench.recipe.kinds import OptimizerSpec
from workbench.recipe.recipe import Recipe
from workbench.training.optimizers.adaptive import _momenta
from workbench.training.optimizers.base import Optimizer
from workbench.training.stepper import Stepper

Array = np.ndarray[Any, Any]

VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "sgd": ({}, {"learning_rate": 0.5}, {"decoupled_weight_decay": 0.1}),
    "momentum": ({}, {"beta": 0.5}, {"beta": 0.0}, {"decoupled_weight_decay": 0.1}),
    "nesterov": ({}, {"beta": 0.5}, {"decoupled_weight_decay": 0.1}),
    "rmsprop": (
        {},
        {"rho": 0.99, "epsilon": 1e-3},
        {"decoupled_weight_decay": 0.1},
        {"momentum": 0.8},
        {"centered": True},
        {"rho": 0.95, "momentum": 0.5, "centered": True, "epsilon": 1e-3},
    ),
    "adagrad": ({}, {"epsilon": 1e-2}, {"decoupled_weight_decay": 0.1}),
    "adam": (
        {},
        {"beta1": 0.5, "beta2": 0.9, "epsilon": 1e-4},
        {"epsilon": 0.01, "epsilon_inside_root": True},
        {"amsgrad": True, "beta2": 0.9},
        {"amsgrad": True, "beta2": 0.8, "epsilon": 0.01, "epsilon_inside_root": True},
    ),
    "adamw": ({}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "amsgrad": True, "beta2": 0.9}),
    "nadam": (
        {},
        {"beta1": 0.5, "beta2": 0.9, "epsilon": 1e-4, "momentum_decay": 0.3},
        {"decoupled_weight_decay": 0.1},
    ),
    "lion": ({}, {"beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1}),
}
variants = pytest.mark.parametrize(
    ("kind", "fields"),
    [
        pytest.param(kind, fields, id=f"{kind}-{n}")
        for kind, all_of in VARIANTS.items()
        for n, fields in enumerate(all_of)
    ],
)


def optimizer_of(kind: str, **fields: Any) -> Optimizer:
    made = OptimizerSpec.kinds()[kind].model_validate(fields)
    assert isinstance(made, Optimizer)
    return made


class Descent:
    """An optimizer at work on one vector, weight decay as the training loop applies it."""

    def __init__(self, optimizer: Optimizer, start: Array, pieces: int = 1) -> None:
        self.optimizer, self.values, self.step = optimizer, start.copy(), 0
        self.state = {name: np.zeros_like(start) for name in optimizer.state_vectors()}
        self._cuts = np.array_split(np.arange(start.size), pieces)

    def go(self, gradient: Array, rate: float | None = None) -> Array:
        """One step along a gradient."""
        self.step += 1
        rate = self.optimizer.learning_rate if rate is None else rate
        given = gradient.copy()
        self.values *= self.values.dtype.type(1 - rate * self.optimizer.decay())
        for cut in self._cuts:
            part = slice(cut[0], cut[-1] + 1)
            state = {name: vector[part] for name, vector in self.state.items()}
            self.optimizer.update(Backend(), self.values[part], given[part], state, rate, self.step)
        return self.values.copy()


def _gradients(count: int, size: int = 9, dtype: Any = np.float64) -> Array:
    return np.random.default_rng(4).normal(size=(count, size)).astype(dtype)


def test_that_every_registered_optimizer_is_tested_here() -> None:
    assert sorted(OptimizerSpec.kinds()) == sorted(VARIANTS)


@pytest.mark.oracle
@variants
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_that_fifty_steps_equal_torch(kind: str, fields: dict[str, Any], dtype: type) -> None:
    torch = pytest.importorskip("torch")
    ours = Descent(optimizer_of(kind, **fields), _gradients(1, dtype=dtype)[0])
    parameter = torch.nn.Parameter(torch.from_numpy(ours.values.copy()))
    oracle = torch_rule([parameter], ours.optimizer)
    for gradient in _gradients(50, dtype=dtype):
        parameter.grad = torch.from_numpy(gradient.copy())
        decay_as_torch([parameter], ours.optimizer)
        oracle.step()
        # PyTorch keeps NAdam's product of momenta in float32.
        exact = 1e-6 if kind == "nadam" else 1e-12
        assert_close(ours.go(gradient), parameter.detach().numpy(), exact if dtype == np.float64 else 1e-5)


@pytest.mark.oracle
def test_that_dampening_differs_from_torch_by_its_first_velocity_only() -> None:
    # PyTorch's first velocity is the whole gradient, undampened. Ours starts from v = 0, as the lecture's does. What
    # is left of the difference fades by beta a step.
    torch = pytest.importorskip("torch")
    beta, rate = 0.9, 0.01
    ours = Descent(optimizer_of("momentum", beta=beta, dampening=beta), np.zeros(9))
    parameter = torch.nn.Parameter(torch.zeros(9, dtype=torch.float64))
    oracle = torch_rule([parameter], ours.optimizer)
    gradients, surplus = _gradients(50), np.zeros(9)
    for number, gradient in enumerate(gradients):
        parameter.grad = torch.from_numpy(gradient.copy())
        oracle.step()
        surplus -= rate * beta**number * beta * gradients[0]
        assert_close(ours.go(gradient) + surplus, parameter.detach().numpy(), 1e-12)


def test_that_dampened_momentum_is_the_lectures_weighted_average() -> None:
    # v := beta v + (1 - beta) g, w := w - alpha v.
    ours = Descent(optimizer_of("momentum", beta=0.8, dampening=0.8, learning_rate=0.1), np.zeros(9))
    velocity, values = np.zeros(9), np.zeros(9)
    for gradient in _gradients(20):
        velocity = 0.8 * velocity + 0.2 * gradient
        values -= 0.1 * velocity
        assert_close(ours.go(gradient), values, 1e-12)


def test_that_leaving_dampening_out_lengthens_steps_by_one_over_one_minus_beta() -> None:
    plain = Descent(optimizer_of("momentum", beta=0.9), np.zeros(9))
    dampened = Descent(optimizer_of("momentum", beta=0.9, dampening=0.9), np.zeros(9))
    for gradient in _gradients(20):
        assert_close(plain.go(gradient), 10 * dampened.go(gradient), 1e-12)


def test_that_rmsprop_is_the_lectures_with_epsilon_outside_the_root() -> None:
    ours = Descent(optimizer_of("rmsprop", learning_rate=0.01), np.zeros(9))
    squares, values = np.zeros(9), np.zeros(9)
    for gradient in _gradients(20):
        squares = 0.9 * squares + 0.1 * gradient**2
        values -= 0.01 * gradient / (np.sqrt(squares) + 1e-8)
        assert_close(ours.go(gradient), values, 1e-12)


def test_that_adam_corrects_copies_of_its_averages() -> None:
    # Fed back, as the lecture prints it, the corrected averages would explode.
    ours = Descent(optimizer_of("adam", learning_rate=0.01), np.zeros(9))
    mean, squares, values = np.zeros(9), np.zeros(9), np.zeros(9)
    for step, gradient in enumerate(_gradients(50), start=1):
        mean = 0.9 * mean + 0.1 * gradient
        squares = 0.999 * squares + 0.001 * gradient**2
        values -= 0.01 * (mean / (1 - 0.9**step)) / (np.sqrt(squares / (1 - 0.999**step)) + 1e-8)
        assert_close(ours.go(gradient), values, 1e-12)


def test_that_rmsprop_with_momentum_keeps_some_of_its_last_steps_and_centered_divides_by_the_deviation() -> None:
    ours = Descent(optimizer_of("rmsprop", learning_rate=0.01, momentum=0.8, centered=True), np.zeros(9))
    squares, mean, velocity, values = np.zeros(9), np.zeros(9), np.zeros(9), np.zeros(9)
    for gradient in _gradients(20):
        squares, mean = 0.9 * squares + 0.1 * gradient**2, 0.9 * mean + 0.1 * gradient
        velocity = 0.8 * velocity + gradient / (np.sqrt(squares - mean**2) + 1e-8)
        values -= 0.01 * velocity
        assert_close(ours.go(gradient), values, 1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_that_a_steady_gradient_never_makes_centered_rmsprop_take_the_root_of_a_negative_number(dtype: type) -> None:
    ours = Descent(optimizer_of("rmsprop", centered=True), np.zeros(9, dtype))
    for _ in range(300):
        assert np.isfinite(ours.go(np.full(9, 0.1, dtype))).all()


def test_that_amsgrad_never_forgets_a_large_gradient() -> None:
    bare, kept = (Descent(optimizer_of("adam", beta2=0.5, amsgrad=on), np.zeros(3)) for on in (False, True))
    for size in (100.0, *[1.0] * 60):
        before = kept.values.copy(), bare.values.copy()
        kept.go(np.full(3, size))
        bare.go(np.full(3, size))
    # By now Adam's step is the learning rate again; AMSGrad still divides by the root of 5000.
    assert_close(bare.values - before[1], np.full(3, -0.001), 0.2)
    assert_close(kept.values - before[0], np.full(3, -0.001 / np.sqrt(5000)), 0.2)


def test_that_state_is_kept_only_for_what_is_asked_for() -> None:
    assert optimizer_of("rmsprop", momentum=0.5).state_vectors() == ("squares", "velocity")
    assert optimizer_of("rmsprop", centered=True).state_vectors() == ("squares", "mean")
    assert optimizer_of("adamw", amsgrad=True).state_vectors() == ("velocity", "squares", "largest")


def test_that_nadam_looks_one_step_ahead_of_adam() -> None:
    ours = Descent(optimizer_of("nadam", learning_rate=0.01), np.zeros(9))
    momenta = [0.9 * (1 - 0.5 * 0.96 ** (step * 0.004)) for step in range(52)]
    mean, squares, values = np.zeros(9), np.zeros(9), np.zeros(9)
    for step, gradient in enumerate(_gradients(50), start=1):
        mean = 0.9 * mean + 0.1 * gradient
        squares = 0.999 * squares + 0.001 * gradient**2
        now, ahead = np.prod(momenta[1 : step + 1]), np.prod(momenta[1 : step + 2])
        direction = (1 - momenta[step]) / (1 - now) * gradient + momenta[step + 1] / (1 - ahead) * mean
        values -= 0.01 * direction / (np.sqrt(squares / (1 - 0.999**step)) + 1e-8)
        assert_close(ours.go(gradient), values, 1e-12)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_that_adams_first_step_is_the_learning_rate_whatever_the_gradient(kind: str, size: float) -> None:
    ours = Descent(optimizer_of(kind), np.zeros(3))
    assert_close(ours.go(np.full(3, size)), np.full(3, -0.001), 0.011)


def test_that_weight_decay_is_off_but_for_adamw_and_acts_apart_from_the_gradient() -> None:
    decays = {kind: optimizer_of(kind).decay() for kind in VARIANTS}
    assert decays == {**dict.fromkeys(VARIANTS, 0.0), "adamw": 0.01}
    still = Descent(optimizer_of("adamw", learning_rate=0.1), np.ones(3))
    assert_close(still.go(np.zeros(3)), np.full(3, 0.999), 1e-12)


@pytest.mark.parametrize("kind", sorted(VARIANTS))
def test_that_every_decay_is_decoupled(kind: str) -> None:
    # Without a gradient only the decay moves, and by the same share whatever the rule.
    name = next((name for name in ("weight_decay", "decoupled_weight_decay") if name in _fields(kind)), "")
    if not name:
        assert kind == "adam"  # whose decoupled form is AdamW
        return
    still = Descent(optimizer_of(kind, learning_rate=0.1, **{name: 0.2}), np.ones(3))
    for _ in range(3):
        found = still.go(np.zeros(3))
    assert_close(found, np.full(3, 0.98**3), 1e-12)


def _fields(kind: str) -> set[str]:
    return set(OptimizerSpec.kinds()[kind].model_fields)


def test_that_epsilon_inside_the_root_holds_small_gradients_back() -> None:
    # The lecture's form: at a gradient of 1e-6 the step is a hundredth of the learning rate.
    inside, outside = (Descent(optimizer_of("adam", epsilon_inside_root=on), np.zeros(3)) for on in (True, False))
    assert_close(inside.go(np.full(3, 1e-6)), np.full(3, -1e-5), 1e-4)
    assert_close(outside.go(np.full(3, 1e-6)), np.full(3, -1e-3), 0.011)


def test_that_adagrad_sums_all_squares() -> None:
    ours = Descent(optimizer_of("adagrad", learning_rate=0.1), np.zeros(2))
    for step in range(1, 6):
        before = ours.values.copy()
        assert_close(ours.go(np.array([3.0, -0.1])) - before, np.array([-0.1, 0.1]) / np.sqrt(step), 1e-8)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_that_lions_steps_are_all_of_one_size(size: float) -> None:
    ours = Descent(optimizer_of("lion"), np.zeros(3))
    assert_close(ours.go(np.array([size, -size, 0.0])), np.array([-1e-4, 1e-4, 0.0]), 1e-12)


def test_that_nadams_momentum_is_the_same_far_out_as_step_by_step() -> None:
    # It is worked out anew from the step alone, so that a resumed run goes on exactly.
    product = 1.0
    for step in range(1, 2000):
        product *= 0.9 * (1 - 0.5 * 0.96 ** (step * 0.004))
        assert _momenta(0.9, 0.004, step)[2] == pytest.approx(product, rel=1e-12, abs=1e-16)


@variants
@settings(deadline=None, max_examples=20)
@given(pieces=st.integers(2, 9), size=st.integers(9, 40))
def test_that_a_vector_updated_in_pieces_equals_one_updated_whole(
    kind: str, fields: dict[str, Any], pieces: int, size: int
) -> None:
    start = _gradients(1, size, np.float32)[0]
    whole, cut = (Descent(optimizer_of(kind, **fields), start, count) for count in (1, pieces))
    for gradient in _gradients(6, size, np.float32):
        assert np.array_equal(whole.go(gradient), cut.go(gradient))


@variants
@pytest.mark.parametrize("more", [{}, {"ema": {"decay": 0.5}, "accumulate": 2, "max_norm": 0.5, "l1": 0.01}])
def test_that_machine_code_takes_the_same_steps(kind: str, fields: dict[str, Any], more: dict[str, Any]) -> None:
    training = Recipe.parse({"training": {"optimizer": {"kind": kind, **fields}, **more}}).training
    network = network_of([{"kind": "dense", "units": 6}, {"kind": "dense", "units": "classes"}], (4,))
    start, found = random_parameters(network).export(), []
    for backend in (PLAIN, COMPILED):
        parameters = Parameters(network, backend)
        parameters.load(start)
        stepper = Stepper(training, parameters, 8, ShardPool(1))
        stepper.plan.input[...] = np.random.default_rng(0).normal(size=(8, 4))
        for number in range(1, 6):
            stepper.step(8, 0.01, number)
        found.append(stepper.tensors())
    for name, array in found[0].items():
        assert_close(found[1][name], array, 2e-5, name)
        assert name.startswith("optimizer.") or not np.array_equal(array, start[name])


@on_device
@variants
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"l1": 0.01, "l2": 0.1, "clip_value": 0.05, "ema": {"decay": 0.5}},
        {"ema": {"decay": 0.5}, "accumulate": 2, "max_norm": 0.5, "l1": 0.01, "clip_norm": 0.1},
    ],
)
def test_that_a_gpu_takes_the_same_steps(kind: str, fields: dict[str, Any], more: dict[str, Any], device: str) -> None:
    """Recorded steps too: their rates and corrections must be those of the step, not of the recording."""
    training = Recipe.parse({"training": {"optimizer": {"kind": kind, **fields}, **more}}).training
    layers = [{"kind": "dense", "units": 6}, {"kind": "dropout", "rate": 0.3}, {"kind": "dense", "units": "classes"}]
    network = network_of(layers, (4,))
    start, found = random_parameters(network).export(), []
    for backend in (PLAIN, device_backend(device)):
        parameters = Parameters(network, backend)
        parameters.load(start)
        stepper = Stepper(training, parameters, 8, ShardPool(1))
        stepper.plan.input[...] = backend.asarray(np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32))
        for number in range(1, 7):
            stepper.step(8, 0.01 * number, number)
        found.append(stepper.tensors())
    for name, array in found[0].items():
        assert_close(found[1][name], array, 2e-5, name)
        assert name.startswith("optimizer.") or not np.array_equal(array, start[name])


@variants
def test_that_numbers_keep_their_type(kind: str, fields: dict[str, Any]) -> None:
    ours = Descent(optimizer_of(kind, **fields), np.ones(4, np.float32))
    assert ours.go(np.ones(4, np.float32)).dtype == np.float32
    assert {vector.dtype for vector in ours.state.values()} <= {np.dtype(np.float32)}


@variants
def test_that_the_rate_of_the_step_counts(kind: str, fields: dict[str, Any]) -> None:
    start = np.ones(4)
    one, ten = (Descent(optimizer_of(kind, **fields), start) for _ in range(2))
    gradient = _gradients(1, 4)[0]
    assert_close((ten.go(gradient, 0.01) - start) / (one.go(gradient, 0.001) - start), np.full(4, 10.0), 1e-9)


@variants
def test_that_a_valley_is_descended(kind: str, fields: dict[str, Any]) -> None:
    ours = Descent(optimizer_of(kind, **fields), np.array([3.0, -2.0]))
    steep = np.array([1.0, 0.2])
    start = float((steep * ours.values**2).sum())
    # Adagrad's steps become ever smaller.
    rate = 0.5 if kind == "adagrad" else 0.02
    for _ in range(400):
        ours.go(2 * steep * ours.values, rate)
    assert float((steep * ours.values**2).sum()) < 0.02 * start


def test_that_state_starts_small_enough_to_be_named() -> None:
    assert {kind: optimizer_of(kind).state_vectors() for kind in VARIANTS} == {
        "sgd": (),
        "momentum": ("velocity",),
        "nesterov": ("velocity",),
        "rmsprop": ("squares",),
        "adagrad": ("squares",),
        "nadam": ("velocity", "squares"),
        "lion": ("velocity",),
        "adam": ("velocity", "squares"),
        "adamw": ("velocity", "squares"),
    }


@pytest.mark.parametrize("kind", sorted(VARIANTS))
def test_that_a_frozen_layer_keeps_its_weights_and_statistics(kind: str) -> None:
    layers = [
        {"kind": "dense", "units": 6, "name": "free"},
        {"kind": "batch_norm", "name": "norm", "frozen": True},
        {"kind": "dense", "units": 6, "name": "held", "frozen": True},
        {"kind": "dense", "units": "classes", "name": "end"},
    ]
    parameters = random_parameters(network_of(layers, (4,)))
    before = parameters.export()
    training = Recipe.parse({"training": {"optimizer": kind, "l2": 0.1, "clip_norm": 1.0}}).training
    stepper = Stepper(training, parameters, 8, ShardPool(1))
    stepper.plan.input[...] = np.random.default_rng(0).normal(size=(8, 4))
    for number in range(1, 6):
        stepper.step(8, 0.01, number)
    unchanged = {name for name, array in parameters.export().items() if np.array_equal(array, before[name])}
    assert unchanged == {name for name in before if name.startswith(("norm.", "held."))}

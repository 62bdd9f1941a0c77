"""First values of weights: zero mean, the variance of their rule, and nothing but seed and name in them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from support.networks import network_of

from workbench.engine.backend import Backend
from workbench.engine.initializers import NAMES, ZEROS, Initializer, Stacked
from workbench.engine.parameters import Parameters

FAN_IN, FAN_OUT = 250, 160
RULES = {"lecun": 1 / FAN_IN, "glorot": 2 / (FAN_IN + FAN_OUT), "he": 2 / FAN_IN}


@pytest.mark.parametrize("shape", ["normal", "uniform"])
@pytest.mark.parametrize("family", sorted(RULES))
def test_that_values_have_zero_mean_and_the_variance_of_the_rule(family: str, shape: str) -> None:
    values = Initializer(f"{family}_{shape}").fill((FAN_OUT, FAN_IN), FAN_IN, FAN_OUT, 0, "initial", "a", "weight")
    deviation = RULES[family] ** 0.5
    assert abs(values.mean()) < 4 * deviation / np.sqrt(values.size)
    assert values.var() == pytest.approx(RULES[family], rel=0.03)


@pytest.mark.parametrize("family", sorted(RULES))
def test_that_uniform_values_fill_their_range_and_keep_to_it(family: str) -> None:
    values = Initializer(f"{family}_uniform").fill((FAN_OUT, FAN_IN), FAN_IN, FAN_OUT, 0, "x")
    limit = np.sqrt(3 * RULES[family])
    assert abs(values).max() <= limit
    assert stats.kstest(values.ravel() / limit, stats.uniform(-1, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("family", sorted(RULES))
def test_that_normal_values_are_normal(family: str) -> None:
    values = Initializer(f"{family}_normal").fill((FAN_OUT, FAN_IN), FAN_IN, FAN_OUT, 0, "x")
    assert stats.kstest(values.ravel() / np.sqrt(RULES[family]), "norm").pvalue > 1e-3


def test_that_zeros_and_constant_fill_in_one_value() -> None:
    assert (Initializer("zeros", 3.0).fill((2, 3), 3, 2, 0) == 0).all()
    assert (Initializer("constant", -0.25).fill((2, 3), 3, 2, 0) == -0.25).all()


@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_that_a_given_deviation_is_that_of_the_values(name: str) -> None:
    values = Initializer(name, 0.3).fill((FAN_OUT, FAN_IN), FAN_IN, FAN_OUT, 0, "x")
    assert abs(values.mean()) < 4 * 0.3 / np.sqrt(values.size)
    assert values.std() == pytest.approx(0.3, rel=0.02)


def test_that_an_empty_row_starts_at_0_and_changes_no_other() -> None:
    whole, part = (Initializer("normal", 1.0, row).fill((5, 4), 1, 1, 0, "x") for row in (None, 2))
    assert (part[2] == 0).all()
    assert np.array_equal(np.delete(part, 2, axis=0), np.delete(whole, 2, axis=0))


def test_that_every_name_is_tried_here() -> None:
    assert {name.partition("_")[0] for name in NAMES} == {*RULES, "orthogonal", "zeros", "constant"}


@pytest.mark.parametrize("shape", [(40, 40), (40, 25), (25, 40), (12, 3, 3, 5), (1, 4)])
def test_that_orthogonal_values_keep_lengths_so_far_as_the_shape_allows(shape: tuple[int, ...]) -> None:
    values = Initializer("orthogonal").fill(shape, 1, 1, 0, "x")
    assert values.shape == shape
    matrix = values.reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    assert product == pytest.approx(np.eye(len(product)), abs=1e-12)
    assert (matrix**2).mean() == pytest.approx(Initializer("orthogonal").variance(*matrix.shape))
    assert np.array_equal(values, Initializer("orthogonal").fill(shape, 1, 1, 0, "x"))


def test_that_orthogonal_matrices_turn_as_often_as_they_mirror() -> None:
    # Without the correction of the signs all would be of one sort.
    found = [np.linalg.det(Initializer("orthogonal").fill((3, 3), 3, 3, seed)) for seed in range(40)]
    assert 8 < sum(value > 0 for value in found) < 32


def test_that_stacked_parts_start_each_by_its_own_rule() -> None:
    one, none = Initializer("constant", 1.0), ZEROS
    assert Stacked([none, one, none]).fill((6,), 1, 1, 0).tolist() == [0, 0, 1, 1, 0, 0]
    values = Stacked([Initializer("orthogonal")] * 2).fill((8, 4), 4, 4, 0, "x")
    assert not np.array_equal(values[:4], values[4:])
    for part in (values[:4], values[4:]):
        assert part @ part.T == pytest.approx(np.eye(4), abs=1e-12)


@pytest.mark.parametrize("kind", ["dense", "conv2d"])
def test_that_a_layer_counts_its_fans(kind: str) -> None:
    # A unit of a convolution sums over window and channels, an input feeds window and filters.
    if kind == "dense":
        network, fans = network_of([{"kind": "dense", "units": 3}], (20,)), (20, 3)
    else:
        layers = [
            {"kind": "conv2d", "filters": 8, "kernel": [3, 2]},
            {"kind": "flatten"},
            {"kind": "dense", "units": 3},
        ]
        network, fans = network_of(layers, (5, 5, 4)), (3 * 2 * 4, 3 * 2 * 8)
    weight = network.nodes[0].parameters[0]
    assert (weight.fan_in, weight.fan_out) == fans


def _weights(layers: list[dict[str, object]], seed: int = 0) -> dict[str, np.ndarray]:
    parameters = Parameters(network_of(layers, (5,)), Backend())
    parameters.initialize(seed)
    return parameters.export()


def test_that_values_depend_on_the_seed_and_their_own_name_only() -> None:
    end = {"kind": "dense", "units": "classes", "name": "end", "inputs": ["a"]}
    short = _weights([{"kind": "dense", "units": 4, "name": "a"}, end])
    longer = _weights(
        [
            {"kind": "dense", "units": 9, "name": "first"},
            {"kind": "dense", "units": 5, "name": "second"},
            {"kind": "dense", "units": 4, "name": "a"},
            end,
        ]
    )
    for name, values in short.items():
        assert np.array_equal(longer[name], values)


def test_that_seeds_and_names_give_different_values() -> None:
    layers = [{"kind": "dense", "units": 5, "name": name} for name in ("a", "b")]
    layers.append({"kind": "dense", "units": 3, "name": "end"})
    one, other = _weights(layers), _weights(layers, seed=1)
    assert not np.array_equal(one["a.weight"], one["b.weight"])
    assert not np.array_equal(one["a.weight"], other["a.weight"])


def test_that_biases_start_at_0_and_norms_as_the_identity() -> None:
    tensors = _weights([{"kind": "dense", "units": 4, "name": "a"}, {"kind": "batch_norm", "name": "n"},
                        {"kind": "dense", "units": 3}])  # fmt: skip
    assert (tensors["a.bias"] == 0).all()
    for name, value in {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}.items():
        assert (tensors[f"n.{name}"] == value).all()


def test_that_signals_keep_their_size_through_deep_relu_networks_with_he() -> None:
    # What the rule is for (He et al., 2015): the mean square survives 20 layers of ReLU.
    x = np.random.default_rng(0).normal(size=(200, 300))
    for depth in range(20):
        weights = Initializer("he_normal").fill((300, 300), 300, 300, 0, "initial", f"dense_{depth}", "weight")
        x = np.maximum(x @ weights.T, 0)
    assert 0.2 < (x * x).mean() < 5

"""Embedding: rows of a table by number, their gradients added up, and one row that may be kept still."""

from __future__ import annotations

import numpy as np
import pytest
from support.backends import COMPILED, PLAIN, on_both
from support.cases import Case
from support.layer_rig import LayerRig, assert_close
from support.networks import network_of, random_parameters

from workbench.engine.backend import Backend
from workbench.engine.parameters import Parameters


def _rig(
    *numbers: float, rows: int = 1, dtype: type = np.float64, backend: Backend = PLAIN, **fields: object
) -> LayerRig:
    """A table of 5 rows of 2 values, asked for these numbers in each example."""
    case = Case({"vocabulary": 5, "dimension": 2, **fields}, ((len(numbers),),))
    rig = LayerRig("embedding", case, rows=rows, dtype=dtype, backend=backend)
    rig.inputs[0][...] = numbers
    return rig


def test_that_each_number_gives_its_row() -> None:
    rig = _rig(3, 0, 3)
    table = rig.parameters.export()["layer.weight"]
    assert np.array_equal(rig.forward()[0], table[[3, 0, 3]])


@on_both
@pytest.mark.parametrize(
    ("number", "row"), [(-1, 0), (-1e30, 0), (5, 4), (1e30, 4), (2.9, 2), (np.inf, 4), (-np.inf, 0), (np.nan, 0)]
)
def test_that_a_number_that_there_is_not_gives_the_nearest_row(number: float, row: int, backend: Backend) -> None:
    rig = _rig(number, dtype=np.float32, backend=backend)
    assert np.array_equal(rig.forward()[0, 0], rig.parameters.export()["layer.weight"][row])


def test_that_the_gradient_of_a_row_is_the_sum_over_all_its_places() -> None:
    rig = _rig(1, 4, 1, rows=3)
    rig.forward()
    d_output = np.random.default_rng(0).normal(size=rig.output.shape)
    (d_input,) = rig.backward(d_output)
    expected = np.zeros((5, 2))
    expected[1], expected[4] = d_output[:, [0, 2]].sum(axis=(0, 1)), d_output[:, 1].sum(axis=0)
    assert_close(rig.gradient.reshape(5, 2), expected, 1e-12)
    assert (d_input == 0).all()


@on_both
def test_that_a_row_used_very_often_keeps_the_digits_of_its_sum(backend: Backend) -> None:
    # One float32 sum of so many equal numbers would be off in the fourth digit.
    rig = _rig(*[2] * 1000, rows=200, dtype=np.float32, backend=backend)
    rig.forward()
    rig.backward(np.full(rig.output.shape, 0.1, np.float32))
    assert_close(rig.gradient.reshape(5, 2)[2], np.full(2, 200_000 * np.float64(np.float32(0.1))), 1e-7)


@on_both
def test_that_gradients_are_the_same_bits_each_time(backend: Backend) -> None:
    def once() -> np.ndarray:
        rig = _rig(*range(5), *range(5), rows=40, dtype=np.float32, backend=backend)
        rig.forward()
        rig.backward(np.random.default_rng(1).normal(size=rig.output.shape))
        return rig.gradient.copy()

    assert np.array_equal(once(), once())


def test_that_the_padding_row_starts_at_0_and_is_not_trained() -> None:
    layers = [
        {"kind": "embedding", "vocabulary": 6, "dimension": 4, "padding_index": 2, "name": "embed"},
        {"kind": "flatten"},
        {"kind": "dense", "units": "classes"},
    ]
    parameters = Parameters(network_of(layers, (3,)), Backend())
    parameters.initialize(0)
    table = parameters.export()["embed.weight"]
    assert (table[2] == 0).all()
    assert (np.delete(table, 2, axis=0) != 0).all()
    for backend in (PLAIN, COMPILED):
        rig = _rig(2, 2, 1, padding_index=2, dtype=np.float32, backend=backend)
        # Twice: nothing of the first time may be left.
        for _ in range(2):
            rig.forward()
            rig.backward(np.ones(rig.output.shape))
            assert rig.gradient.reshape(5, 2).tolist() == [[0, 0], [1, 1], [0, 0], [0, 0], [0, 0]]


def test_that_the_table_starts_with_the_deviation_that_is_asked_for() -> None:
    def table(**fields: object) -> np.ndarray:
        layers = [
            {"kind": "embedding", "vocabulary": 500, "dimension": 40, "name": "embed", **fields},
            {"kind": "flatten"},
            {"kind": "dense", "units": "classes"},
        ]
        parameters = Parameters(network_of(layers, (1,)), Backend())
        parameters.initialize(0)
        return parameters.export()["embed.weight"]

    assert table().std() == pytest.approx(1.0, rel=0.02)
    keras = table(initializer="uniform", deviation=0.05 / 3**0.5)
    assert abs(keras).max() == pytest.approx(0.05, rel=0.01)
    assert (table(initializer="zeros") == 0).all()


def test_that_l2_acts_on_the_table() -> None:
    layers = [
        {"kind": "embedding", "vocabulary": 4, "dimension": 2},
        {"kind": "flatten"},
        {"kind": "dense", "units": 3},
    ]
    layout = random_parameters(network_of(layers, (2,))).layout
    assert layout.decayed == 4 * 2 + 3 * 4


def test_that_only_vectors_are_read_and_padding_must_be_a_number_of_the_table() -> None:
    from workbench.engine.layer import ShapeError

    layer = Case({"vocabulary": 4, "padding_index": 4}, ()).layer("embedding")
    with pytest.raises(ShapeError, match="has no number 4 for padding: they go from 0 to 3"):
        layer.output_shape([(5,)])
    with pytest.raises(ShapeError, match="reads a vector of whole numbers, not 5 × 3"):
        layer.output_shape([(5, 3)])

"""Recurrent layers: what the last step is, what the second direction reads, and how they start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.backends import COMPILED, PLAIN, on_both
from support.cases import Case
from support.layer_rig import LayerRig, assert_close
from support.networks import network_of

from workbench.engine.backend import Backend
from workbench.engine.parameters import Parameters
from workbench.errors import RecipeError

KINDS = ("simple_rnn", "lstm", "gru")
every_kind = pytest.mark.parametrize("kind", KINDS)
UNITS = 4


def _rig(kind: str, **fields: Any) -> LayerRig:
    return LayerRig(kind, Case({"units": UNITS, **fields}, ((6, 3),)), training=False)


@every_kind
def test_that_the_last_step_is_the_last_of_all_steps(kind: str) -> None:
    assert np.array_equal(_rig(kind).forward(), _rig(kind, sequences=True).forward()[:, -1])


@every_kind
def test_that_two_directions_end_at_the_two_ends_of_a_sequence(kind: str) -> None:
    steps = _rig(kind, sequences=True, bidirectional=True).forward()
    ends = np.concatenate([steps[:, -1, :UNITS], steps[:, 0, UNITS:]], axis=1)
    assert np.array_equal(_rig(kind, bidirectional=True).forward(), ends)


@every_kind
def test_that_the_second_direction_reads_the_sequence_from_its_end(kind: str) -> None:
    both, one = _rig(kind, sequences=True, bidirectional=True), _rig(kind, sequences=True)
    tensors = both.parameters.export()
    one.parameters.load({name: tensors[f"{name}_reverse"] for name in one.parameters.export()})
    one.inputs[0][...] = both.inputs[0][:, ::-1]
    assert_close(one.forward()[:, ::-1], both.forward()[:, :, UNITS:], 1e-12)


@every_kind
def test_that_a_step_reads_no_later_one(kind: str) -> None:
    rig = _rig(kind, sequences=True)
    before = rig.forward()
    rig.inputs[0][:, 4:] += 1.0
    after = rig.forward()
    assert np.array_equal(after[:, :4], before[:, :4])
    assert not np.isclose(after[:, 4:], before[:, 4:]).any()


@on_both
@every_kind
def test_that_nothing_is_left_of_the_batch_before(kind: str, backend: Backend) -> None:
    case = Case({"units": UNITS, "sequences": True, "bidirectional": True}, ((6, 3),))
    rig = LayerRig(kind, case, dtype=np.float32, backend=backend)
    direction = np.random.default_rng(1).normal(size=rig.output.shape)
    first = rig.forward(), *rig.backward(direction), rig.gradient.copy()
    kept = rig.inputs[0].copy()
    rig.inputs[0][...] *= -5.0
    rig.forward()
    rig.backward(direction)
    rig.inputs[0][...] = kept
    again = rig.forward(), *rig.backward(direction), rig.gradient.copy()
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)


@on_both
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_that_gates_bear_values_of_any_size(kind: str, backend: Backend) -> None:
    case = Case({"units": UNITS, "sequences": True}, ((50, 3),))
    rig = LayerRig(kind, case, dtype=np.float32, backend=backend)
    rig.inputs[0][...] *= np.float32(1e30)
    output = rig.forward()
    d_inputs = rig.backward(np.ones_like(output))
    assert np.isfinite(output).all()
    assert np.isfinite(d_inputs[0]).all()


@every_kind
@pytest.mark.parametrize(
    ("rows", "steps", "features", "units"), [(33, 9, 19, 37), (1, 40, 1, 16), (130, 3, 65, 17), (15, 12, 300, 70)]
)
def test_that_kernels_agree_with_arrays_at_odd_sizes(
    kind: str, rows: int, steps: int, features: int, units: int
) -> None:
    case = Case({"units": units, "sequences": True, "bidirectional": True}, ((steps, features),))
    plain, compiled = (
        LayerRig(kind, case, dtype=np.float32, rows=rows, backend=backend) for backend in (PLAIN, COMPILED)
    )
    for rig in (plain, compiled):
        rig.parameters.values[...] *= 0.2
    direction = np.random.default_rng(1).normal(size=plain.output.shape).astype(np.float32)
    assert_close(compiled.forward(), plain.forward(), 1e-5, "output")
    (ours,), (theirs,) = compiled.backward(direction), plain.backward(direction)
    assert_close(ours, theirs, 1e-5, "input gradient")
    for slot in plain.parameters.layout.trained_slots():
        assert_close(slot.view(compiled.gradient), slot.view(plain.gradient), 2e-5, slot.name)


def _started(kind: str, **fields: Any) -> dict[str, Any]:
    layers = [{"kind": kind, "name": "layer", "units": UNITS, **fields}, {"kind": "dense", "units": "classes"}]
    parameters = Parameters(network_of(layers, (6, 3)), Backend(), np.float64)
    parameters.initialize(0)
    return {name.removeprefix("layer."): values for name, values in parameters.export().items()}


@every_kind
def test_that_each_gates_recurrent_weights_start_orthogonal(kind: str) -> None:
    started = _started(kind, bidirectional=True)
    for name in ("weight_hh_l0", "weight_hh_l0_reverse"):
        for gate in started[name].reshape(-1, UNITS, UNITS):
            assert gate @ gate.T == pytest.approx(np.eye(UNITS), abs=1e-12)
    assert not np.allclose(started["weight_hh_l0"], started["weight_hh_l0_reverse"])


@every_kind
def test_that_a_gates_fans_are_its_own(kind: str) -> None:
    layers = [{"kind": kind, "units": 40}, {"kind": "dense", "units": "classes"}]
    for parameter in network_of(layers, (6, 30)).nodes[0].parameters[:2]:
        assert (parameter.fan_in, parameter.fan_out) == (parameter.shape[1], 40)
        assert parameter.decays


def test_that_the_memory_of_an_lstm_lasts_from_the_start() -> None:
    started = _started("lstm")
    assert started["bias_ih_l0"].tolist() == [0] * 4 + [1] * 4 + [0] * 8
    assert not started["bias_hh_l0"].any()
    assert not _started("lstm", forget_bias=0.0)["bias_ih_l0"].any()


@pytest.mark.parametrize(
    ("kind", "gates", "options"),
    [("simple_rnn", 1, {}), ("lstm", 4, {}), ("gru", 3, {}), ("gru", 3, {"bias": False}), ("lstm", 4, {"bias": False})],
)
def test_that_parameters_are_counted_as_everywhere(kind: str, gates: int, options: dict[str, Any]) -> None:
    biases = 0 if options else 2
    expected = 2 * gates * 16 * (5 + 16 + biases)
    layers = [{"kind": kind, "units": 16, "bidirectional": True, **options}, {"kind": "dense", "units": "classes"}]
    node = network_of(layers, (7, 5)).nodes[0]
    assert node.parameter_count() == expected
    assert node.multiply_adds() == 7 * 2 * gates * 16 * (5 + 16)


@every_kind
@pytest.mark.parametrize(("shape", "told"), [((30,), "a vector of 30"), ((28, 28, 1), "28 × 28 × 1")])
def test_that_what_is_no_sequence_is_refused(kind: str, shape: tuple[int, ...], told: str) -> None:
    with pytest.raises(RecipeError, match=f"reads a sequence of steps × features, not {told}; put reshape before it"):
        network_of([{"kind": kind, "units": 4}, {"kind": "dense", "units": "classes"}], shape)


@every_kind
def test_that_the_networks_width_multiplies_the_units(kind: str) -> None:
    layers = [{"kind": kind, "units": 10}, {"kind": "dense", "units": "classes"}]
    assert network_of(layers, (6, 3), width=1.5).nodes[0].shape == (15,)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(("mode", "share"), [("sum", 1.0), ("mean", 0.5)])
def test_that_merged_directions_are_those_that_stand_side_by_side(mode: str, share: float, sequences: bool) -> None:
    fields = {"units": 4, "bidirectional": True, "sequences": sequences}
    apart = LayerRig("gru", Case(fields, ((5, 3),))).forward()
    merged = LayerRig("gru", Case({**fields, "merge_mode": mode}, ((5, 3),))).forward()
    assert_close(merged, share * (apart[..., :4] + apart[..., 4:]), 1e-12)

"""Self-attention: what reads what, and that chance in it depends on seed, layer, step and row only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.backends import on_both
from support.cases import Case
from support.layer_rig import LayerRig, assert_close
from support.networks import Bench, network_of, random_parameters

from workbench.engine import plan as plan_module
from workbench.engine.backend import Backend
from workbench.engine.layer import Clock
from workbench.engine.plan import Plan
from workbench.engine.shards import ShardPool
from workbench.errors import RecipeError

SHAPE = (6, 8)


def _rig(training: bool = False, **fields: Any) -> LayerRig:
    return LayerRig("self_attention", Case({"heads": 2, **fields}, (SHAPE,)), training=training)


def test_that_a_causal_step_reads_no_later_one() -> None:
    rig = _rig(causal=True)
    before = rig.forward()
    rig.inputs[0][:, 4:] += 1.0
    after = rig.forward()
    assert np.array_equal(after[:, :4], before[:, :4])
    assert not np.isclose(after[:, 4:], before[:, 4:]).any()


def test_that_the_first_causal_step_reads_itself_only() -> None:
    rig = _rig(causal=True)
    tensors = rig.parameters.export()
    value = rig.inputs[0][:, 0] @ tensors["layer.in_proj_weight"][16:].T + tensors["layer.in_proj_bias"][16:]
    expected = value @ tensors["layer.out_proj.weight"].T + tensors["layer.out_proj.bias"]
    assert_close(rig.forward()[:, 0], expected, 1e-12)


def test_that_the_order_of_the_steps_means_nothing_otherwise() -> None:
    rig, order = _rig(), np.array([3, 0, 5, 1, 4, 2])
    before = rig.forward()
    rig.inputs[0][...] = rig.inputs[0][:, order]
    assert_close(rig.forward(), before[:, order], 1e-12)


@on_both
@pytest.mark.parametrize("causal", [True, False])
def test_that_scores_of_any_size_make_weights(causal: bool, backend: Backend) -> None:
    case = Case({"heads": 2, "causal": causal}, (SHAPE,))
    rig = LayerRig("self_attention", case, dtype=np.float32, backend=backend)
    rig.inputs[0][...] *= np.float32(1e6)
    output = rig.forward()
    assert np.isfinite(output).all()
    assert np.isfinite(rig.backward(np.ones_like(output))[0]).all()


@on_both
@pytest.mark.parametrize("training", [True, False])
def test_that_what_is_not_finite_shows_in_the_output_of_its_example_only(training: bool, backend: Backend) -> None:
    rig = LayerRig("self_attention", Case({"heads": 2}, (SHAPE,)), dtype=np.float32, backend=backend, training=training)
    for row, value in ((1, np.nan), (3, np.inf)):
        rig.inputs[0][row, 4, 2] = value
    with np.errstate(invalid="ignore"):
        output = rig.forward()
    assert np.isnan(output[[1, 3]]).all()
    assert np.isfinite(output[[0, 2, 4]]).all()


def test_that_backward_drops_what_forward_dropped() -> None:
    # With all values 1 and the products the identity, the output is the sum of the weights that were kept.
    rig = _rig(training=True, dropout=0.5, heads=1)
    eye = np.eye(8)
    tensors = {name: np.zeros_like(values) for name, values in rig.parameters.export().items()}
    tensors["layer.in_proj_weight"][16:] = eye
    tensors["layer.out_proj.weight"] = eye
    rig.parameters.load(tensors)
    rig.inputs[0][...] = 1.0
    kept = rig.forward()
    assert len(np.unique(kept.round(9))) > 2
    (d_input,) = rig.backward(np.ones_like(kept))
    # Queries and keys are 0, so that the gradient comes through the values: each step's own kept weights.
    assert d_input.sum() == pytest.approx(kept.sum())


def test_that_inference_drops_nothing() -> None:
    assert np.array_equal(_rig(dropout=0.5).forward(), _rig().forward())


def _trained(
    rows: int = 12,
    threads: int = 1,
    name: str = "attention",
    clock: Clock | None = None,
    backend: Backend | None = None,
) -> Any:
    """A training step's output with dropout, before anything is learned."""
    layers = [
        {"kind": "self_attention", "heads": 2, "dropout": 0.4, "name": name},
        {"kind": "flatten", "name": "flat"},
        {"kind": "dense", "units": 3, "name": "end"},
    ]
    parameters = random_parameters(network_of(layers, (5, 6)), backend=backend)
    for slot in parameters.layout.slots:
        # Equal whatever the layer's name, from which first values come.
        slot.view(parameters.values)[...] = np.sin(np.arange(slot.stop - slot.start)).reshape(slot.parameter.shape)
    bench, pool = Bench(parameters, rows), ShardPool(threads)
    try:
        plan = Plan(parameters, bench.plan._loss, rows, training=True, pool=pool, clock=clock or Clock())
        plan.input[...] = np.cos(np.arange(30)).reshape(5, 6)
        plan.run(rows)
        return plan.output.copy()
    finally:
        pool.close()
        bench.close()


@on_both
@pytest.mark.parametrize("threads", [2, 3])
def test_that_sharding_drops_the_same_weights(threads: int, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    assert_close(_trained(threads=threads, backend=backend), _trained(), 1e-5)


@on_both
def test_that_equal_rows_are_dropped_differently_but_alike_in_any_batch(backend: Backend) -> None:
    output = _trained(backend=backend)
    assert len(np.unique(output, axis=0)) == len(output)
    assert_close(_trained(rows=5, backend=backend), output[:5], 1e-5)


@on_both
@pytest.mark.parametrize("other", [{"clock": Clock(seed=1)}, {"clock": Clock(step=1)}, {"name": "other"}])
def test_that_another_seed_step_or_layer_drops_other_weights(other: dict[str, Any], backend: Backend) -> None:
    assert not np.isclose(_trained(**other, backend=backend), _trained(backend=backend)).all(axis=1).any()


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((30,), "reads a sequence of steps × features, not a vector of 30; put reshape before it"),
        ((4, 4, 3), "not 4 × 4 × 3"),
        ((5, 6), "cannot share 6 features out to 4 heads evenly: change heads, or set head_size"),
    ],
)
def test_that_what_does_not_fit_is_refused(shape: tuple[int, ...], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        network_of([{"kind": "self_attention"}, {"kind": "flatten"}, {"kind": "dense", "units": "classes"}], shape)


def test_that_parameters_and_work_are_counted_as_everywhere() -> None:
    network = network_of([{"kind": "self_attention", "heads": 4}, {"kind": "flatten"}, {"kind": "dense", "units": 3}],
                         (10, 16))  # fmt: skip
    node = network.nodes[0]
    assert node.parameter_count() == 4 * 16 * 16 + 4 * 16
    # Four products with the features, and two of the steps with each other.
    assert node.multiply_adds() == 4 * 10 * 16 * 16 + 2 * 10 * 10 * 16

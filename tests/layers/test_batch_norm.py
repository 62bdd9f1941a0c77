"""Batch norm: batch statistics in training, running ones in inference and where it is frozen."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import Case
from support.layer_rig import LayerRig, assert_close
from support.networks import Bench, network_of, random_parameters

from workbench.engine import plan as plan_module

PICTURES = Case({}, ((4, 3, 5),))


def test_that_training_gives_each_channel_mean_0_and_variance_1() -> None:
    rig = LayerRig("batch_norm", PICTURES)
    rig.parameters.load({**rig.parameters.export(), "layer.weight": np.ones(5), "layer.bias": np.zeros(5)})
    rig.inputs[0] *= 30.0
    output = rig.forward()
    assert_close(output.mean(axis=(0, 1, 2)), np.zeros(5), 1e-2)
    assert abs(output.mean(axis=(0, 1, 2))).max() < 1e-12
    assert_close(output.var(axis=(0, 1, 2)), np.ones(5), 1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_that_without_scale_and_shift_the_normalized_values_come_out_as_they_are(training: bool) -> None:
    bare = LayerRig("batch_norm", Case({"affine": False}, ((4, 3, 5),)), training=training)
    assert set(bare.parameters.export()) == {"layer.running_mean", "layer.running_var"}
    x, state = bare.inputs[0], bare.parameters.export()
    mean, variance = state["layer.running_mean"], state["layer.running_var"]
    if training:
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    assert_close(bare.forward(), (x - mean) / np.sqrt(variance + 1e-5), 1e-12)


def test_that_a_suitable_scale_and_shift_give_the_input_back() -> None:
    # The lecture: with gamma = sqrt(var + epsilon) and beta = mean, batch norm is the identity.
    rig = LayerRig("batch_norm", PICTURES)
    x = rig.inputs[0]
    weights = {
        "layer.weight": np.sqrt(x.var(axis=(0, 1, 2)) + 1e-5),
        "layer.bias": x.mean(axis=(0, 1, 2)),
    }
    rig.parameters.load({**rig.parameters.export(), **weights})
    assert_close(rig.forward(), x, 1e-12)


def test_that_the_running_variance_is_unbiased_and_moves_by_the_momentum() -> None:
    rig = LayerRig("batch_norm", Case({"momentum": 0.25}, ((3,),)))
    before = rig.parameters.export()
    rig.forward()
    after = rig.parameters.export()
    x = rig.inputs[0]
    assert_close(after["layer.running_mean"], 0.75 * before["layer.running_mean"] + 0.25 * x.mean(axis=0), 1e-12)
    expected = 0.75 * before["layer.running_var"] + 0.25 * x.var(axis=0, ddof=1)
    assert_close(after["layer.running_var"], expected, 1e-12)


@pytest.mark.parametrize("how", [{"training": False}, {"frozen": True}])
def test_that_running_statistics_are_used_and_kept_in_inference_and_where_frozen(how: dict[str, bool]) -> None:
    rig = LayerRig("batch_norm", PICTURES, **how)
    before = rig.parameters.export()
    output = rig.forward()
    deviation = np.sqrt(before["layer.running_var"] + 1e-5)
    normal = (rig.inputs[0] - before["layer.running_mean"]) / deviation
    assert_close(output, before["layer.weight"] * normal + before["layer.bias"], 1e-12)
    after = rig.parameters.export()
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_that_a_single_row_does_not_divide_by_zero() -> None:
    rig = LayerRig("batch_norm", Case({}, ((3,),)), rows=1)
    assert_close(rig.forward()[0], rig.parameters.export()["layer.bias"], 1e-12)
    assert np.isfinite(rig.backward(np.ones((1, 3)))[0]).all()
    assert np.isfinite(rig.parameters.state).all()


def test_that_a_far_off_mean_does_not_spoil_the_variance() -> None:
    rig = LayerRig("batch_norm", Case({"momentum": 1.0}, ((3,),)), dtype=np.float32, rows=64)
    rig.inputs[0] += 10_000
    exact = rig.inputs[0].astype(np.float64).var(axis=0, ddof=1)
    rig.forward()
    assert_close(rig.parameters.export()["layer.running_var"], exact, 1e-4)


@pytest.mark.parametrize("threads", [2, 3])
def test_that_shards_share_the_statistics_of_the_whole_batch(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "_LEAST_SHARD_WORK", 1)
    layers = [{"kind": "batch_norm"}, {"kind": "dense", "units": "classes"}]
    whole = Bench(random_parameters(network_of(layers, (4,))), 9)
    cut = Bench(random_parameters(network_of(layers, (4,))), 9, threads=threads)
    try:
        # Rows that differ from shard to shard: statistics of a shard would be far off.
        for bench in (whole, cut):
            bench.plan.input += np.arange(9)[:, None]
        for ours, theirs in zip(cut.run(), whole.run(), strict=True):
            assert_close(ours, theirs, 5e-6)
        assert_close(cut.parameters.state, whole.parameters.state, 1e-6)
    finally:
        cut.close()

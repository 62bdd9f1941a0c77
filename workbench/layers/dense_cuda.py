"""Products of values and weights on a GPU, the bias in the launch behind: the dense layer, and 1x1 convolutions."""

from __future__ import annotations

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.pointwise import column_sums
from workbench.engine.cuda.products import launcher_of, product
from workbench.engine.layer import Calls, Chain, Site


def dense_on_cuda(site: Site) -> Calls:
    """``y = x weight + bias`` over all but the last axis of input and output."""
    backend, buffer, gradients, dx = site.backend, site.buffer, site.gradients, site.d_inputs[0]
    x, y, weight = _matrix(site.inputs[0]), _matrix(site.output), _matrix(site.weights["weight"])
    forward = product(backend, x, weight, y, buffer, site.weights.get("bias"))
    backward: list[Call] = []
    if "bias" in gradients:
        # First, so that it joins the launch of the activation behind.
        backward += column_sums(launcher_of(backend), site.d_output, gradients["bias"], buffer)
    if "weight" in gradients:
        dy, d_weight = _matrix(site.d_output), _matrix(gradients["weight"])
        backward += product(backend, x.T, dy, d_weight, buffer)
    if dx is not None:
        backward += product(backend, _matrix(site.d_output), weight.T, _matrix(dx), buffer)
    return Calls(Chain(*forward), Chain(*backward))


def _matrix(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1])

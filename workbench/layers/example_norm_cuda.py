"""Normalization of each example on a GPU; see ``norms.cu``."""

from __future__ import annotations

from math import prod

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import THREADS
from workbench.engine.cuda.pointwise import column_sums, stretches_of
from workbench.engine.cuda.products import launcher_of
from workbench.engine.layer import Calls, Chain, Site


def norm_over_examples_on_cuda(site: Site, epsilon: float, parts: tuple[int, int, int]) -> Calls:
    """Normalizes stretches of ``(places, groups, values)``, each group over its places and values."""
    launcher, x, dx = launcher_of(site.backend), site.inputs[0], site.d_inputs[0]
    places, groups, values = parts
    weight, bias, statistics = site.weights.get("weight", 0), site.weights.get("bias", 0), _statistics(site, parts)
    whole = "weight" in site.weights and prod(weight.shape) == prod(parts) and places > 1
    sizes = places, groups, values, int(whole)
    # A warp for a few values, at most a block: a thread then handles four of them or more.
    shape = len(statistics[0]), min(THREADS, max(32, -(-places * values // 128) * 32))
    arrays = x, site.output, *statistics, weight, bias
    forward = launcher.call("example_norm_forward", *shape, *arrays, *sizes, float(epsilon))
    backward: list[Call] = _parameter_gradients(site, parts, whole) if "weight" in site.gradients else []
    if dx is not None:
        arrays = x, site.d_output, dx, *statistics, weight
        backward.append(launcher.call("example_norm_backward", *shape, *arrays, *sizes))
    return Calls(forward, Chain(*backward))


def _statistics(site: Site, parts: tuple[int, int, int]) -> list[Array]:
    """Means and 1 / deviations of all groups of all items."""
    x = site.inputs[0]
    count = prod(x.shape) // prod(parts) * parts[1]
    return [site.buffer(name, (count,), x.dtype) for name in ("means", "inverses")]


def _parameter_gradients(site: Site, parts: tuple[int, int, int], whole: bool) -> list[Call]:
    launcher, x, (places, groups, values) = launcher_of(site.backend), site.inputs[0], parts
    channels = prod(parts) if whole else groups * values
    rows = prod(x.shape) // channels
    stretches, each = stretches_of(rows)
    gradients = [site.gradients["weight"], site.gradients.get("bias")]
    targets = [0 if gradient is None else gradient for gradient in gradients]
    if stretches > 1:
        names = ("by weight", "by bias")[: 1 + (gradients[1] is not None)]
        targets = [*(site.buffer(name, (stretches, channels), x.dtype) for name in names), 0][:2]
    summed = launcher.call(
        "example_norm_slopes", (-(-channels // 32), stretches), (32, 8), x, site.d_output, *_statistics(site, parts),
        *targets, rows, channels, each, 1 if whole else places, groups, values,
    )  # fmt: skip
    calls: list[Call] = [summed]
    for target, gradient in zip(targets, gradients, strict=True):
        if stretches > 1 and gradient is not None:
            calls += column_sums(launcher, target, gradient.reshape(-1), site.buffer)
    return calls

"""Convolutions by cuDNN or by our own kernels, whichever a trial on the device finds quicker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple, replace
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.backend import Array, Call
from workbench.engine.cuda.calls import CudaCall, LibraryCall
from workbench.engine.cuda.cudnn import Cudnn, Duty, Sizes
from workbench.engine.cuda.pointwise import column_sums, fused, shifted
from workbench.engine.cuda.products import launcher_of
from workbench.engine.cuda.source_files import text_of
from workbench.engine.layer import Calls, Chain, Site, unchained

if TYPE_CHECKING:
    from workbench.layers.conv import Geometry

Build = Callable[[Site], Calls]

_OURS, _THEIRS = "own", "cudnn"
_TOLERANCE = {"float32": 1e-4, "tf32": 2e-2}
"""How far both may be apart, by the largest value."""


def quicker(site: Site, geometry: Geometry, ours: Build) -> Calls:
    """A convolution's calls by the quicker of two ways.

    Args:
        site, geometry: of the convolution, on a device.
        ours: makes the calls without cuDNN, which also are what is left where cuDNN has no graph or fails in a trial.
    """
    cudnn: Cudnn | None = site.backend.cudnn
    if cudnn is None or site.backend.precision not in _TOLERANCE:
        return ours(site)

    def theirs(where: Site) -> Calls:
        return _Convolution(where, geometry, cudnn).calls()

    key = _key(site, geometry, cudnn)
    chosen = cudnn.choices.get(key)
    if chosen is None:
        chosen, told = _trial(site, cudnn, ours, theirs)
        # What failed may have lacked memory for the trial only.
        cudnn.choices.put(key, chosen, keep=told)
    return theirs(site) if chosen == _THEIRS else ours(site)


def _key(site: Site, geometry: Geometry, cudnn: Cudnn) -> str:
    needs = site.training, bool(site.gradients), site.d_inputs[0] is not None
    parts = cudnn.device, cudnn.version, _sources(), site.backend.precision, astuple(_sizes(site, geometry)), needs
    return " ".join(map(str, parts))


@cache
def _sources() -> str:
    """Of our own kernels: what they took before they were changed says nothing."""
    return hashlib.sha256((text_of("conv") + text_of("products")).encode()).hexdigest()[:12]


def _sizes(site: Site, geometry: Geometry) -> Sizes:
    pairs = [(getattr(geometry.rows, name), getattr(geometry.columns, name))
             for name in ("size", "count", "window", "before", "after", "stride", "dilation")]  # fmt: skip
    size, count, window, before, after, stride, dilation = pairs
    return Sizes(
        site.rows, size, geometry.channels, count, geometry.filters, window, geometry.groups, before, after, stride,
        dilation,
    )  # fmt: skip


class _Convolution:
    """What is bound for cuDNN, which reads and writes filters one after the other."""

    def __init__(self, site: Site, geometry: Geometry, cudnn: Cudnn) -> None:
        self.site, self.cudnn, self.launcher = site, cudnn, launcher_of(site.backend)
        self.sizes, self.values = _sizes(site, geometry), geometry.taps * (geometry.channels // geometry.groups)
        self.rounds = site.backend.precision == "tf32"
        self.filters = site.buffer("filters", (geometry.filters, self.values), np.float32)

    def calls(self) -> Calls:
        site, launcher, bias = self.site, self.launcher, self.site.weights.get("bias")
        weight, dx = site.weights["weight"], site.d_inputs[0]
        forward: list[Call] = [self._turned(weight, self.filters, self.values)]
        forward.append(self._call("forward", site.inputs[0], self.filters, site.output))
        if bias is not None:
            forward.append(shifted(launcher, site.output, site.output, bias))
        backward: list[Call] = []
        if "bias" in site.gradients:
            # First, so that it joins the launch of the activation behind.
            backward += column_sums(launcher, site.d_output, site.gradients["bias"], site.buffer)
        if "weight" in site.gradients:
            slopes = site.like("filter slopes", self.filters)
            backward.append(self._call("weight_gradient", site.inputs[0], site.d_output, slopes))
            backward.append(self._turned(slopes, site.gradients["weight"], len(slopes)))
        if dx is not None:
            backward.append(self._call("input_gradient", site.d_output, self.filters, dx))
        return Calls(Chain(*forward), Chain(*backward))

    def _turned(self, source: Array, target: Array, rows: int) -> Call:
        columns = prod(source.shape) // rows
        blocks = -(-rows // 32) * -(-columns // 32)
        return self.launcher.call("turn_matrices", blocks, (32, 8), source, target, rows, columns)

    def _call(self, duty: Duty, first: Array, second: Array, result: Array) -> Call:
        graph = self.cudnn.graph(duty, self.sizes, self.rounds)
        workspace = self.site.buffer("cudnn workspace", (max(1, graph.workspace),), np.uint8)
        return self.cudnn.call(duty, graph, (first, second, result), workspace)


def _trial(site: Site, cudnn: Cudnn, ours: Build, theirs: Build) -> tuple[str, bool]:
    """Which is quicker on arrays of the same sizes; ours where the other fails or gives other numbers.

    Returns:
        Which, and whether the trial came to its end.
    """
    try:
        sites = [_copy(site) for _ in range(2)]
        runs = [_warm(where, build) for where, build in zip(sites, (theirs, ours), strict=True)]
        if not _agree(*sites):
            return _OURS, True
        times = [cudnn.seconds(run) for run in runs]
    except Exception:  # The library may have no graph for it, fail to be recorded, or find no memory: ours remains.
        return _OURS, False
    return _THEIRS if times[0] < times[1] else _OURS, True


def _copy(site: Site) -> Site:
    """The same sizes on arrays of their own, filled with numbers that are the same for each copy."""
    numbers, backend = np.random.default_rng(0), site.backend
    buffers: dict[str, Array] = {}

    def made(array: Array) -> Any:
        values = numbers.standard_normal(min(prod(array.shape), 2**16), np.float32)
        return None if array is None else backend.asarray(np.resize(values, array.shape))

    def buffer(name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        key = f"{name} {shape} {dtype}"
        if key not in buffers:
            buffers[key] = backend.zeros(shape, dtype)
        return buffers[key]

    return replace(
        site,
        inputs=[made(site.inputs[0])],
        output=backend.zeros(site.output.shape, site.output.dtype),
        d_output=None if site.d_output is None else made(site.d_output),
        d_inputs=[None if site.d_inputs[0] is None else backend.zeros(site.d_inputs[0].shape, np.float32)],
        weights={name: made(array) for name, array in sorted(site.weights.items())},
        gradients={name: backend.zeros(array.shape, np.float32) for name, array in site.gradients.items()},
        buffer=buffer,
    )


def _warm(site: Site, build: Build) -> Call:
    """Run what was built once, which fills the site's arrays; and what runs it again as a step would."""
    calls = build(site)
    single = list(unchained([calls.forward, calls.backward] if site.d_output is not None else [calls.forward]))
    for call in single:
        call()
    launcher = launcher_of(site.backend)
    if launcher.records and all(isinstance(call, CudaCall | LibraryCall) for call in single):
        return launcher.record(fused(single))  # type: ignore[arg-type]

    def run() -> None:
        for call in single:
            call()

    return run


def _agree(one: Site, other: Site) -> bool:
    xp, tolerance = one.xp, _TOLERANCE[one.backend.precision]
    pairs = [(one.output, other.output), *((one.gradients[name], other.gradients[name]) for name in one.gradients)]
    if one.d_inputs[0] is not None:
        pairs.append((one.d_inputs[0], other.d_inputs[0]))
    return all(float(xp.abs(a - b).max()) <= tolerance * float(xp.abs(b).max()) for a, b in pairs)

"""What is done value by value: stages that neighboring layers bind by themselves, fused into one launch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from math import prod
from typing import Any

from workbench.engine.backend import Array
from workbench.engine.cuda.calls import THREADS, CudaCall, Launchable, Launcher, blocks_for
from workbench.engine.cuda.source_files import kernels

FUNCTIONS = (
    "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus", "relu6", "selu", "mish", "hardswish",
    "gelu_tanh",
)  # fmt: skip
"""In the order of the enumeration in ``pointwise.cu``."""

_LIFT = ("parts", "mean", "inverse", "weight", "bias", "lifted", "channels")
_BEND = ("function", "slope", "bent")
_DROP = ("key", "row_size", "first_row", "rate", "scale", "dropped")

_LEAST_ROWS = 64
"""Rows whose sum is not worth being shared among blocks."""
_MOST_STRETCHES = 256


@dataclass(frozen=True)
class Dropping:
    """Which values are dropped.

    Attributes:
        key: where the step's key lies, uint64 ``(1,)``.
        row_size: values of a row.
        first_row: the first one's number within the batch.
        rate, scale: the share that is dropped, and what the others are multiplied by.
    """

    key: Array
    row_size: int
    first_row: int
    rate: float
    scale: float


@dataclass(frozen=True)
class Stages:
    """Arguments of ``pointwise_forward`` in its own words; 0 stands for no array, -1 for no function."""

    source: Array
    parts: int = 1
    mean: Array = 0
    inverse: Array = 0
    weight: Array = 0
    bias: Array = 0
    lifted: Array = 0
    function: int = -1
    slope: float = 0.0
    bent: Array = 0
    key: Array = 0
    row_size: int = 1
    first_row: int = 0
    rate: float = 0.0
    scale: float = 0.0
    dropped: Array = 0
    count: int = 0
    channels: int = 1

    def stages(self) -> list[tuple[str, ...]]:
        """The fields of the stages that it has."""
        present = (_LIFT, self.lifted), (_BEND, self.bent), (_DROP, self.dropped)
        return [names for names, out in present if not _none(out)]

    @property
    def result(self) -> Array:
        """What the last stage writes."""
        return next(out for out in (self.dropped, self.bent, self.lifted) if not _none(out))


@dataclass(frozen=True)
class Backward:
    """Arguments of ``pointwise_backward``, and of ``pointwise_backward_sums`` where there is a place for sums."""

    source: Array
    key: Array = 0
    row_size: int = 1
    first_row: int = 0
    rate: float = 0.0
    scale: float = 0.0
    function: int = -1
    slope: float = 0.0
    read: Array = 0
    target: Array = 0
    sums: Array = 0
    rows: int = 0
    channels: int = 1
    each: int = 0


class Pointwise(CudaCall):
    """A launch of a pointwise kernel that knows its stages.

    Attributes:
        spec: its stages.
        origin: the call that it began as.
    """

    def __init__(self, launcher: Launcher, spec: Stages | Backward, origin: CudaCall | None = None) -> None:
        self.spec, self.origin = spec, origin or self
        count = prod(spec.source.shape)
        if isinstance(spec, Stages):
            count = spec.count
            name, shape = "pointwise_forward", ((blocks_for(count), 1, 1), (THREADS, 1, 1))
        elif _none(spec.sums):
            name, shape = "pointwise_backward", ((blocks_for(count), 1, 1), (THREADS, 1, 1))
        else:
            stretches = -(-spec.rows // spec.each)
            name, shape = "pointwise_backward_sums", ((-(-spec.channels // 32), stretches, 1), (32, 8, 1))
        values = [getattr(spec, each.name) for each in fields(spec)]
        if name == "pointwise_backward":
            values = [*values[:10], count]
        super().__init__(launcher, kernels()[name], *shape, values)


def shifted(
    launcher: Launcher, source: Array, out: Array, bias: Array | None, parts: int = 1, **normal: Array
) -> Pointwise:
    """``sum of parts + bias``; with mean, inverse and weight normalized before.

    Args:
        launcher: of the device.
        source: ``(parts, *out.shape)``, or an array of the output's shape.
        out: where it goes, channels last.
        bias: a value a channel.
        parts: how many are added up.
        normal: ``mean``, ``inverse`` and ``weight``, a value a channel each.
    """
    spec = Stages(source, parts, **normal, bias=0 if bias is None else bias, lifted=out)
    return Pointwise(launcher, replace(spec, count=prod(out.shape), channels=int(out.shape[-1])))


def bent(launcher: Launcher, function: str, slope: float, source: Array, out: Array) -> Pointwise:
    """An activation function; ``slope`` is its field."""
    spec = Stages(source, function=FUNCTIONS.index(function), slope=slope, bent=out, count=prod(out.shape))
    return Pointwise(launcher, spec)


def dropped(launcher: Launcher, dropping: Dropping, source: Array, out: Array) -> Pointwise:
    """Dropout."""
    return Pointwise(launcher, Stages(source, **vars(dropping), dropped=out, count=prod(out.shape)))


def bent_back(launcher: Launcher, function: str, slope: float, read: Array, d_out: Array, d_in: Array) -> Pointwise:
    """The gradient through an activation function, whose slope is worked out from ``read``."""
    number = FUNCTIONS.index(function)
    return Pointwise(launcher, Backward(d_out, function=number, slope=slope, read=read, target=d_in))


def dropped_back(launcher: Launcher, dropping: Dropping, d_out: Array, d_in: Array) -> Pointwise:
    """The gradient through dropout, which draws the same numbers again: cheaper than to remember them."""
    return Pointwise(launcher, Backward(d_out, **vars(dropping), target=d_in))


def column_sums(launcher: Launcher, source: Array, out: Array, buffer: Any) -> list[CudaCall]:
    """Sums over all but the last axis.

    Args:
        launcher: of the device.
        source: channels last.
        out: ``(channels,)``.
        buffer: of the layer's site.
    """
    channels = int(source.shape[-1])
    rows = prod(source.shape) // channels
    stretches, each = stretches_of(rows)
    if stretches == 1:
        return [Pointwise(launcher, Backward(source, sums=out, rows=rows, channels=channels, each=rows))]
    part = buffer("column sums", (stretches, channels), out.dtype)
    first = Backward(source, sums=part, rows=rows, channels=channels, each=each)
    last = Backward(part, sums=out, rows=stretches, channels=channels, each=stretches)
    return [Pointwise(launcher, spec) for spec in (first, last)]


def fused(calls: Iterable[Launchable]) -> list[Launchable]:
    """The calls, stages that follow each other in one launch each."""
    found: list[Launchable] = []
    for call in calls:
        together = _together(found[-1], call) if found else None
        if together:
            found[-1] = together
        else:
            found.append(call)
    return found


def _together(first: Launchable, then: Launchable) -> Pointwise | None:
    if not (isinstance(first, Pointwise) and isinstance(then, Pointwise)):
        return None
    launcher, before, after = first.launcher, first.spec, then.spec
    spec: Stages | Backward | None = None
    if isinstance(before, Stages) and isinstance(after, Stages):
        spec = _forward_together(launcher, before, after)
    elif isinstance(before, Backward) and isinstance(after, Backward):
        spec = _backward_together(launcher, before, after)
    return Pointwise(launcher, spec, first.origin) if spec else None


def _forward_together(launcher: Launcher, before: Stages, after: Stages) -> Stages | None:
    order = (_LIFT, _BEND, _DROP)
    follows = order.index(before.stages()[-1]) < order.index(after.stages()[0])
    if not follows or before.count != after.count or not _same(launcher, before.result, after.source):
        return None
    added = {name: getattr(after, name) for stage in after.stages() for name in stage}
    both = replace(before, **added)
    # What a later stage writes to the same place need not be written before.
    outs = [("lifted", both.lifted), ("bent", both.bent), ("dropped", both.dropped)]
    for number, (name, out) in enumerate(outs):
        if not _none(out) and any(_same(launcher, out, later) for _, later in outs[number + 1 :]):
            both = replace(both, **{name: 0})
    return both


def _backward_together(launcher: Launcher, before: Backward, after: Backward) -> Backward | None:
    if not _none(before.sums) or not _same(launcher, before.target, after.source):
        return None
    if _none(after.sums):
        # Nothing but the next layer reads the gradient between them.
        fits, taken = before.function < 0 and _none(after.key), ("function", "slope", "read", "target")
    else:
        fits = after.function < 0 and _none(after.key) and _none(after.target)
        taken = ("sums", "rows", "channels", "each")
    return replace(before, **{name: getattr(after, name) for name in taken}) if fits else None


def _same(launcher: Launcher, one: Array, other: Array) -> bool:
    """Whether two arrays lie in the same place."""
    return not (_none(one) or _none(other)) and launcher.address(one) == launcher.address(other)


def _none(array: Array) -> bool:
    return isinstance(array, int)


def stretches_of(rows: int, least: int = _LEAST_ROWS, most: int = _MOST_STRETCHES) -> tuple[int, int]:
    """How many stretches rows are cut into, and the rows of each but the last."""
    count = max(1, min(most, -(-rows // least)))
    each = -(-rows // count)
    return -(-rows // each), each

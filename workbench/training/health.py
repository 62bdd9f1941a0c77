"""How activations and weights are spread by layer while training: read from a step's buffers, changing nothing.

Only some steps are looked at, and of each a sample whose size does not grow with the batch, the pictures or the number
of threads. Everything is reduced where it was computed and fetched once, when the epoch's record is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, gcd, prod, sqrt
from typing import Any

import numpy as np

from workbench.engine.backend import Array, Shape
from workbench.engine.layer import FlatPart, Layer
from workbench.engine.network import Network, Node
from workbench.engine.parameters import Slot
from workbench.engine.plan import Plan

Numbers = np.ndarray[Any, Any]

BINS = 32
VALUES = 1_024
"""Values of an epoch that a histogram is made of: a bin that holds a tenth is then told to within 2 %."""
ROWS = 64
"""Examples of a batch that units are judged by."""
CELLS = 65_536
"""Values of a batch that a layer's units are judged by: of large pictures not every place is looked at."""
_LOOK_STEPS, _RECORD_STEPS = 32, 64
"""Steps between two looks, and between two records, at least."""
_LOOK_WORK, _RECORD_WORK = 300_000_000, 8_000_000_000
"""The same in work (see ``step_work``): both cost the same whatever the network, and weigh most on small steps."""
_STEP_WORK = 700_000
"""What a step costs beside its products, as ``step_work`` counts."""
_FEW_LOOKS, _MOST_LOOKS = 2, 8
"""Looks in an epoch."""
_FEW_RECORDS = 5
"""Records that every run may have."""
_MOST_RECORDS, _MOST_ROWS = 100, 4_000
"""Records of a run, and in all of them rows (a layer's histogram), which bounds the run's log to some megabytes."""
_TAIL = 0.005
"""The share of values on either side that lies in the outermost bins: a few far ones must not squeeze all others."""


@dataclass(frozen=True)
class Timetable:
    """When to look, a function of the recipe alone, so that neither a resume nor the machine changes it.

    Attributes:
        every: epochs from one record to the next.
        epochs: of the run.
        batches: those of an epoch that are looked at.
    """

    every: int
    epochs: int
    batches: frozenset[int]

    @classmethod
    def of(cls, epochs: int, steps: int, layers: int, work: int = _RECORD_WORK) -> Timetable:
        """The times for a run of so many epochs, steps an epoch, histograms a record, and a step's work."""
        records = max(1, min(_MOST_RECORDS, _MOST_ROWS // max(1, layers)))
        between_looks, between_records = max(_LOOK_STEPS, _LOOK_WORK // work), _RECORD_WORK // work
        # A few a run are never too many: of a short one nothing weighs.
        apart = max(ceil(_RECORD_STEPS / steps), min(ceil(between_records / steps), epochs // _FEW_RECORDS))
        every = max(1, ceil(epochs / records), apart)
        few = min(_FEW_LOOKS, every * steps // _LOOK_STEPS)
        looks = min(_MOST_LOOKS, steps, max(1, few, every * steps // between_looks))
        # In the middle of equal parts; the very first batch is looked at for the initial weights.
        places = (((2 * look + 1) * steps - 1) // (2 * looks) for look in range(looks))
        return cls(every, epochs, frozenset(min(max(place, 1), steps - 1) for place in places))

    def records(self, epoch: int) -> bool:
        """Whether a record is made once so many epochs are done."""
        return epoch > 0 and (epoch % self.every == 0 or epoch == self.epochs)


def step_work(network: Network, batch: int) -> int:
    """About what a step costs, in multiplications with addition (measured on one thread; see benchmarks/health.py)."""
    return _STEP_WORK + 3 * batch * network.multiply_adds()


class LayerWatch:
    """Watches the layers of a training plan.

    Args:
        plan: the plan; its buffers are only read.
        epochs, steps: of the run, and of an epoch.
    """

    def __init__(self, plan: Plan, epochs: int, steps: int) -> None:
        self._plan, self._backend = plan, plan.backend
        nodes = [
            node for node in plan.network.nodes if isinstance(node.layer, Layer) and node.layer.role == "activation"
        ]
        slots = _weight_slots(plan)
        known = {*(node.name for node in nodes), *(slot.layer for slot in plan.parameters.layout.trained_slots())}
        self._names = tuple(node.name for node in plan.network.nodes if node.name in known)
        work = step_work(plan.network, plan.batch)
        self._times = Timetable.of(epochs, steps, len(nodes) + len(slots), work)
        self._looks = max(1, len(self._times.batches))
        units = sum(_units(node.shape) for node in nodes)
        rows = 2 * len(nodes) + len(slots)
        with self._backend.current():
            # One block of memory, so that one transfer fetches it.
            self._numbers = self._backend.xp.empty(rows * VALUES + units, plan.parameters.dtype)
        self._samples = self._numbers[: rows * VALUES].reshape(rows, VALUES)
        self._activations = list(self._views(nodes))
        self._weights = [_Weights(slot, self._samples[2 * len(nodes) + n]) for n, slot in enumerate(slots)]
        self._reset()

    def _views(self, nodes: list[Node]) -> Iterator[_Activation]:
        start = self._samples.size
        for number, node in enumerate(nodes):
            stop = start + _units(node.shape)
            margin = self._numbers[start:stop]
            samples = self._samples[2 * number], self._samples[2 * number + 1]
            yield _Activation(self._backend.xp, node, *samples, margin, VALUES // self._looks)
            start = stop

    def _reset(self) -> None:
        self._examples = self._look = 0
        with self._backend.current():
            self._samples.fill(np.nan)
            self._numbers[self._samples.size :].fill(np.inf)

    def begin(self) -> None:
        """Take note of the weights as they are, before the first step."""
        self._read_weights()

    def batches(self, epoch: int) -> frozenset[int]:
        """The steps of an epoch to look at, both counted from 0.

        In these the plan is to keep what all layers give (``Plan.keeps_all``), and ``look`` to be called afterwards.
        """
        looks = self._times.batches if self._times.records(epoch + 1) else frozenset[int]()
        return looks | {0} if epoch == 0 else looks

    def look(self, rows: int) -> None:
        """Look at the step that the plan has just computed, of so many rows."""
        step = ceil(rows / ROWS)
        with self._backend.current(), np.errstate(all="ignore"):
            for cut, outputs in self._plan.outputs():
                for activation in self._activations:
                    activation.look(outputs, cut, rows, step, self._look)
        self._examples += len(range(0, rows, step))
        self._look = (self._look + 1) % self._looks

    def initial(self) -> dict[str, Any]:
        """The fields of ``events.LayersDone`` for the initial weights, after a look at the very first step."""
        return self._figures()

    def after_epoch(self, epochs: int) -> dict[str, Any] | None:
        """The fields of ``events.LayersDone`` after so many epochs; None where none is due."""
        if not self._times.records(epochs):
            return None
        self._read_weights()
        return self._figures()

    def _read_weights(self) -> None:
        with self._backend.current():
            for weights in self._weights:
                weights.read(self._plan.parameters.values)

    def _figures(self) -> dict[str, Any]:
        """Fetch, sum up and begin anew."""
        numbers = self._backend.to_host(self._numbers).astype(np.float64)
        samples, margins = numbers[: self._samples.size].reshape(self._samples.shape), numbers[self._samples.size :]
        activations, weights = self._activations, self._weights
        # The first row of each is of what goes in; where that is not stored, the second one stands for it.
        rows = [2 * n + bool(np.isnan(samples[2 * n]).all()) for n in range(len(activations))]
        tail = [2 * len(activations) + n for n in range(len(weights))]
        ranges, shares = histograms(samples[[*rows, *tail]])
        split = len(rows)
        found = {
            "examples": self._examples,
            "layers": self._names,
            "activations": tuple(one.name for one in activations),
            "measured": tuple("output" if row % 2 else "input" for row in rows),
            "flat": tuple(one.flat_name for one in activations),
            "flat_units": tuple(self._flat_units(margins)),
            "flat_values": tuple(one.flat_share(samples[2 * n + 1]) for n, one in enumerate(activations)),
            "value_ranges": tuple(ranges[:split]),
            "value_shares": tuple(shares[:split]),
            "weights": tuple(one.name for one in weights),
            "weight_norms": tuple(one.norm(samples[row]) for row, one in zip(tail, weights, strict=True)),
            "weight_ranges": tuple(ranges[split:]),
            "weight_shares": tuple(shares[split:]),
        }
        self._reset()
        return found

    def _flat_units(self, margins: Numbers) -> Iterator[float]:
        start = 0
        for one in self._activations:
            margin, start = margins[start : start + one.units], start + one.units
            known = one.flat is not None and not np.isposinf(margin).all()
            yield _rounded(float((margin >= 0).mean())) if known else float("nan")


class _Activation:
    """Where what is seen of an activation layer is gathered.

    Args:
        inputs, outputs: ``(VALUES,)``, filled a part at each look.
        margin: ``(units,)``: how far on the flat part a unit was where it was least so; below 0 it was not.
        part: how many values are taken at a look.
    """

    def __init__(self, xp: Any, node: Node, inputs: Array, outputs: Array, margin: Array, part: int) -> None:
        self._xp, self.name, self._source = xp, node.name, node.inputs[0]
        self.units, self._size = _units(node.shape), prod(node.shape)
        self._inputs, self._outputs, self._margin, self._part = inputs, outputs, margin, part
        assert isinstance(node.layer, Layer)
        self.flat = node.layer.flat_part()
        self.flat_name = "" if self.flat is None else "dead" if self.flat.high is None else "saturated"

    def look(self, outputs: Mapping[str, Array], cut: slice, rows: int, step: int, look: int) -> None:
        """Take a shard's part of the sample.

        Args:
            outputs: what is stored of the shard, by layer.
            cut: the shard's rows within the batch.
            rows: of the batch.
            step: each how many rows of the batch one is taken to judge units by.
            look: how many looks came before; decides what part of the sample is filled.
        """
        y = outputs.get(self.name)
        if y is None:
            return
        x = outputs.get(self._source)
        if x is not None and not self._xp.may_share_memory(x, y):
            self._sample(x, self._inputs, cut, rows, look)
        self._sample(y, self._outputs, cut, rows, look)
        if self.flat is not None:
            self._judge(y[-cut.start % step :: step], self.flat)

    def _sample(self, values: Array, into: Array, cut: slice, rows: int, look: int) -> None:
        """Every so many-th value of the batch, counted through all of its rows, whatever shard they lie in."""
        stride = stride_for(rows * self._size, self._part, self.units)
        before, here = ceil(cut.start * self._size / stride), values.size
        start = before * stride - cut.start * self._size
        count = min(len(range(start, here, stride)), self._part - before)
        if count > 0:
            place = look * self._part + before
            into[place : place + count] = values.reshape(-1)[start::stride][:count]

    def _judge(self, y: Array, flat: FlatPart) -> None:
        if not len(y):
            return
        y = y[(slice(None), *(slice(None, None, self._spacing(y.shape)) for _ in y.shape[1:-1]))]
        xp, axes = self._xp, tuple(range(y.ndim - 1))
        if flat.high is None:
            margin = flat.low - y.max(axis=axes)
        else:
            middle, half = (flat.low + flat.high) / 2, (flat.high - flat.low) / 2
            margin = abs(y - y.dtype.type(middle)).min(axis=axes) - y.dtype.type(half)
        xp.minimum(self._margin, margin, out=self._margin)

    def _spacing(self, shape: Shape) -> int:
        """Of so many places along each side one is looked at; the same for each number of rows and shards."""
        sides = len(shape) - 2
        return max(1, ceil((ROWS * self._size / CELLS) ** (1 / sides))) if sides > 0 else 1

    def flat_share(self, sample: Numbers) -> float:
        """The share of a sample of outputs that lies on the flat part; NaN where there is none."""
        known = sample[~np.isnan(sample)]
        if self.flat is None or not len(known):
            return float("nan")
        there = known <= _single(self.flat.low)
        if self.flat.high is not None:
            there |= known >= _single(self.flat.high)
        return _rounded(float(there.mean()))


class _Weights:
    """A layer's weights, of many a sample."""

    def __init__(self, slot: Slot, into: Array) -> None:
        self.name, self._into = slot.layer, into
        self._size = slot.stop - slot.start
        self._part = slice(slot.start, slot.stop, stride_for(self._size, VALUES, slot.parameter.shape[-1]))

    def read(self, values: Array) -> None:
        found = values[self._part][:VALUES]
        self._into[: len(found)] = found

    def norm(self, sample: Numbers) -> float:
        known = sample[np.isfinite(sample)]
        return _rounded(sqrt(float((known**2).mean()) * self._size)) if len(known) else float("nan")


def stride_for(size: int, count: int, units: int) -> int:
    """How far apart to take about ``count`` of ``size`` values so that all units have their turn.

    A stride that shares no divisor with the number of units, which lie side by side, visits each of them.
    """
    stride = max(1, size // count)
    while gcd(stride, units) > 1:
        stride -= 1
    return stride


def histograms(samples: Numbers) -> tuple[list[tuple[float, float]], list[tuple[int, ...]]]:
    """A histogram of each row of samples, all in one pass; what is not finite does not count.

    Args:
        samples: ``(rows, n)``.

    Returns:
        From and to; and the shares of ``BINS`` bins in thousandths, none for a row without values.
    """
    ordered = np.sort(np.where(np.isfinite(samples), samples, np.nan), axis=1)
    counts = np.isfinite(ordered).sum(axis=1)
    last = np.maximum(counts - 1, 0)
    index = np.arange(len(samples))
    low = np.nan_to_num(ordered[index, (last * _TAIL).astype(np.int64)])
    high = np.nan_to_num(ordered[index, last - (last * _TAIL).astype(np.int64)])
    # Values that are all alike get a bin of their own in the middle.
    wide = np.maximum(high - low, np.maximum(1e-3 * np.abs(low), 1e-9))
    low, high = np.where(high - low < wide, low - wide / 2, low), np.where(high - low < wide, high + wide / 2, high)
    bins = (ordered - low[:, None]) * (BINS / (high - low))[:, None]
    known = np.isfinite(bins)
    places = np.clip(np.where(known, bins, 0), 0, BINS - 1).astype(np.int64) + BINS * index[:, None]
    found = np.bincount(places[known], minlength=BINS * len(samples)).reshape(len(samples), BINS)
    shares = np.rint(1000 * found / np.maximum(counts, 1)[:, None]).astype(np.int64).tolist()
    ranges = [(_rounded(float(a)), _rounded(float(b))) for a, b in zip(low, high, strict=True)]
    return ranges, [tuple(row) if count else () for row, count in zip(shares, counts, strict=True)]


def _weight_slots(plan: Plan) -> list[Slot]:
    """The first trained weights of each layer, in the order of the network."""
    trained = {slot.name for slot in plan.parameters.layout.trained_slots()}
    firsts: dict[str, Slot] = {}
    for slot in plan.parameters.layout.in_order:
        if slot.name in trained and slot.parameter.decays:
            firsts.setdefault(slot.layer, slot)
    return list(firsts.values())


def _units(shape: Shape) -> int:
    return shape[-1]


def _single(value: float) -> float:
    """A bound as the engine's numbers have it, so that what lies on it counts."""
    return float(np.float32(value))


def _rounded(value: float) -> float:
    """Four digits: a log is no place for more than was measured."""
    return float(f"{value:.4g}")

"""Parts of the trained parameters: what each thread finishes once the batch has gone through all layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from workbench.engine.backend import Array, Call
from workbench.engine.layer import SharedGradient
from workbench.engine.parameters import Layout


@dataclass(frozen=True)
class Part:
    """A stretch of the trained parameters that one thread finishes: ``rows`` rows of ``size`` values from ``start``.

    ``layer`` is the one whose parameter it is a part of, where all threads work out its gradient together; else empty.
    """

    start: int
    rows: int
    size: int
    layer: str = ""

    def of(self, vector: Array) -> Array:
        """Its part of a flat vector, ``(rows, size)``."""
        return vector[self.start : self.start + self.rows * self.size].reshape(self.rows, self.size)


Finish = Callable[[Part, Array, Array], list[Call]]
"""Given a part, the whole gradient and the batch's strengths: what a thread does once the gradient's part is there."""


def parts_of(
    layout: Layout, shard: int, shared: list[dict[tuple[str, str], SharedGradient]], gradients: list[Array]
) -> Iterator[tuple[Part, list[Call]]]:
    """One thread's parts of the trained parameters, each with the calls that fill its gradient in ``gradients[0]``.

    Args:
        layout: of the parameters.
        shard: the thread's number.
        shared: the shards' shared gradients, by layer and parameter.
        gradients: of each shard, flat.
    """
    shards, begin = len(shared), 0
    for slot in layout.trained_slots():
        key = slot.layer, slot.parameter.name
        # What lies between shared ones is joined in one stretch; none reaches over the end of the weights.
        if key in shared[0] or slot.start == layout.decayed:
            yield from _joined_part(begin, slot.start, shard, gradients[:shards])
            begin = slot.start
        if key in shared[0]:
            begin = slot.stop
            length = slot.parameter.shape[0]
            rows = length * shard // shards, length * (shard + 1) // shards
            if rows[0] < rows[1]:
                size = prod(slot.parameter.shape[1:])
                part = Part(slot.start + rows[0] * size, rows[1] - rows[0], size, slot.layer)
                place = part.of(gradients[0])
                yield part, [each[key].call(rows[0], place, number > 0) for number, each in enumerate(shared)]
    yield from _joined_part(begin, layout.trained, shard, gradients[:shards])


def _joined_part(start: int, stop: int, shard: int, gradients: list[Array]) -> Iterator[tuple[Part, list[Call]]]:
    """A thread's part of a stretch of which each shard has a gradient of its own."""
    from workbench.engine.kernels.calls import NativeCall
    from workbench.engine.kernels.updates import add_vectors

    shards, length = len(gradients), stop - start
    # Whole cache lines: no two threads write to the same one.
    ends = [start + (length * k // shards // 16 * 16 if k < shards else length) for k in (shard, shard + 1)]
    part = Part(ends[0], ends[1] - ends[0], 1)
    if not part.rows:
        return
    vectors = [part.of(gradient) for gradient in gradients]
    joining: list[Call] = []
    if shards > 1:
        joining.append(NativeCall(add_vectors, part.rows, 1, shards, *vectors, row_bytes=4 * shards))
    yield part, joining

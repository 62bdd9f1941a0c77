"""Gathering and normalizing a batch as machine code."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.engine.backend import Array

if TYPE_CHECKING:
    from workbench.engine.kernels.calls import NativeCall


def compiled_fill(
    inputs: Array, shift: Array, scale: Array, answers: list[Array], out: Array, answers_out: list[Array]
) -> CompiledFill | None:
    """What fills the first rows of a plan; None where no kernel knows the data's type or layout.

    Args:
        inputs: all examples, ``(N, ...)``, float32 or uint8.
        shift, scale: float32, of a length that divides an example's.
        answers: what belongs to the examples, ``(N,)`` or ``(N, K)``: targets, strengths.
        out: float32 ``(n, ...)``.
        answers_out: places for the answers, of the same types.
    """
    sources = [inputs, *answers]
    if inputs.dtype not in (np.float32, np.uint8) or not all(source.flags.c_contiguous for source in sources):
        return None
    return CompiledFill(inputs, shift, scale, answers, out, answers_out)


class CompiledFill:
    """Fills a plan's buffers with rows: all at once, or the inputs while the plan runs, each shard its own."""

    def __init__(
        self, inputs: Array, shift: Array, scale: Array, answers: list[Array], out: Array, answers_out: list[Array]
    ) -> None:
        from workbench.engine.kernels import feeding as kernels
        from workbench.engine.kernels.calls import NativeCall, NativeProgram

        n = len(out)
        self._places = np.empty(n, np.int64)
        self._inputs, self._shift, self._scale, self._out = inputs, shift, scale, out
        answering = []
        for source, target in zip(answers, answers_out, strict=True):
            row = source.itemsize * prod(source.shape[1:])
            answering.append(NativeCall(kernels.gather_rows, n, source, self._places, target, row))
        self._answers = NativeProgram(answering)
        self._whole = NativeProgram([*self.calls(slice(0, n)), *answering])

    def __call__(self, rows: np.ndarray[Any, Any]) -> None:
        """Fill in the examples of these numbers, int64 ``(n,)``, all of which must exist."""
        self._places[...] = rows
        self._whole()

    def begin(self, rows: np.ndarray[Any, Any]) -> None:
        """Fill in the answers, which each shard reads of all rows; ``calls`` fill in the inputs."""
        self._places[...] = rows
        self._answers()

    def calls(self, rows: slice) -> list[NativeCall]:
        """What fills in the inputs of some rows of the batch."""
        from workbench.engine.kernels import feeding as kernels
        from workbench.engine.kernels.calls import NativeCall

        out = self._out[rows]
        gather = kernels.gather_floats if self._inputs.dtype == np.float32 else kernels.gather_octets
        sizes = prod(self._inputs.shape[1:]), len(self._shift)
        fields = self._inputs, self._places[rows], self._shift, self._scale, out, *sizes
        return [NativeCall(gather, len(out), *fields, row_bytes=2 * sizes[0] * out.itemsize)]

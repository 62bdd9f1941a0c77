"""A recipe's list of augmentations, applied to batches; and the same for a strip of before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import prod
from typing import Any

import numpy as np

from workbench.data.augment.base import (
    Augmentation,
    Bordered,
    Draw,
    Fill,
    Geometric,
    Rows,
    Span,
    ValueChange,
)
from workbench.data.augment.warp import Warp
from workbench.engine.backend import Array, Backend, Shape
from workbench.errors import Problem, RecipeError
from workbench.recipe.kinds import AugmentSpec

Stage = Callable[[Array, Rows, int], None]
Placed = tuple[int, Augmentation]
"""An augmentation with its place in the recipe's list."""

_WORKING_COPIES = 4
"""How many pieces of a batch fit into the backend's working memory (measured: a piece then stays in the cache)."""


def problems(specs: Sequence[AugmentSpec], shape: Shape) -> list[Problem]:
    """What of a list of augmentations cannot act on examples of this shape: ``(F,)``, ``(T, F)`` or ``(H, W, C)``."""
    found = []
    for position, spec in enumerate(specs):
        kind, where = _known(spec), f"data.augment[{position}]"
        if not kind.enabled:
            continue
        if (sort := sort_of(shape)) not in kind.applies_to:
            given = "a table" if sort == "table" else sort
            what = f"{kind.kind} changes {' and '.join(sorted(kind.applies_to))}, not {given}"
            found.append(Problem(what, where, "Remove it."))
        elif what := kind.problem(shape):
            found.append(Problem(f"{kind.kind} {what}", where, "Make it smaller."))
    return found


class Augmenter:
    """Applies a list of augmentations in order; neighbors that move pixels are joined into one resampling.

    An example's change is a function of (seed, epoch, example, place in the list): its batch changes nothing.

    Args:
        specs: the recipe's ``data.augment``.
        shape: of an example: ``(H, W, C)``, ``(T, F)`` or ``(F,)``.
        span: how large the values are.
        backend: where the examples lie.
        dtype: theirs.
        seed: the training's.

    Raises:
        RecipeError: an augmentation cannot act on examples of this shape; names all that cannot.
    """

    def __init__(
        self,
        specs: Sequence[AugmentSpec],
        shape: Shape,
        span: Span,
        backend: Backend,
        dtype: Any = np.float32,
        seed: int = 0,
    ) -> None:
        if found := problems(specs, shape):
            raise RecipeError.of(found)
        self._shape, self._span, self._backend, self._dtype, self._seed = shape, span, backend, dtype, seed
        example_bytes = prod(shape) * np.dtype(dtype).itemsize
        self._piece = max(1, backend.piece_bytes // (_WORKING_COPIES * example_bytes))
        placed = [(place, _known(spec)) for place, spec in enumerate(specs) if spec.enabled]
        self._stages = list(self._compile(placed))

    def apply(self, values: Array, rows: Rows, epoch: int) -> None:
        """Change examples in place.

        Args:
            values: ``(n, *shape)``, contiguous, on the backend.
            rows: the examples' numbers in the dataset, int64 ``(n,)``, on the host.
            epoch: which pass over the data.
        """
        for start in range(0, len(rows), self._piece):
            cut = slice(start, start + self._piece)
            for stage in self._stages:
                stage(values[cut], rows[cut], epoch)

    def _compile(self, placed: Sequence[Placed]) -> Iterator[Stage]:
        warps: dict[Fill, Warp] = {}
        for fill, group in _groups(placed):
            if fill is None:
                yield from (self._changing(place, kind) for place, kind in group)
            else:
                if fill not in warps:
                    warps[fill] = Warp(self._shape, fill, self._backend, self._dtype)
                yield self._warping(group, warps[fill])

    def _changing(self, place: int, kind: Augmentation) -> Stage:
        assert isinstance(kind, ValueChange)

        def stage(values: Array, rows: Rows, epoch: int) -> None:
            kind.change(values, Draw(self._seed, epoch, place, rows), self._span, self._backend)

        return stage

    def _warping(self, group: Sequence[Placed], warp: Warp) -> Stage:
        height, width = self._shape[:2]
        moves = [(place, kind) for place, kind in group if isinstance(kind, Geometric)]

        def stage(values: Array, rows: Rows, epoch: int) -> None:
            draws = [Draw(self._seed, epoch, place, rows) for place, _ in moves]
            maps = [kind.maps(draw, height, width) for draw, (_, kind) in zip(draws, moves, strict=True)]
            whole = maps[0]
            # The last change is looked through first: its map leads into the picture before it.
            for step in maps[1:]:
                whole = whole @ step
            warp.resample(values, whole)

        return stage


def preview(
    specs: Sequence[AugmentSpec],
    pictures: np.ndarray[Any, Any],
    rows: Rows,
    seed: int,
    epoch: int,
    value_range: tuple[float, float] | None = None,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What training will see of some pictures, for a strip of before and after.

    Args:
        specs: the recipe's ``data.augment``; an empty list gives the pictures before.
        pictures: ``(n, H, W, C)`` as the source has them; they stay as they are.
        rows: their numbers in the dataset, int64 ``(n,)``: with them the result is what training sees.
        seed: the training's.
        epoch: which pass; another one is another draw.
        value_range: the range of the source's values; measured on these pictures when left out.

    Returns:
        float32 ``(n, H, W, C)``, the source's range mapped to 0-255.

    Raises:
        RecipeError: an augmentation cannot act on these pictures.
    """
    low, high = value_range or range_of(pictures)
    changed = np.array(pictures, np.float32, order="C")
    augmenter = Augmenter(specs, changed.shape[1:], Span.of_range(low, high), Backend(), seed=seed)
    augmenter.apply(changed, np.asarray(rows, np.int64), epoch)
    if (low, high) != (0.0, 255.0):
        changed -= low
        changed *= 255.0 / (high - low or 1.0)
    return changed


def range_of(pictures: np.ndarray[Any, Any], rows: Rows | None = None) -> tuple[float, float]:
    """The range of a source's values: 0-255 for 8 bits; for floats 0-1 or 0-255 where they fit, else as measured.

    Args:
        pictures: ``(N, H, W, C)``, which may be memory-mapped.
        rows: the pictures to measure; all when left out.
    """
    if pictures.dtype == np.uint8:
        return 0.0, 255.0
    rows = np.arange(len(pictures)) if rows is None else rows
    low, high = np.inf, -np.inf
    for start in range(0, len(rows), 256):
        piece = pictures[rows[start : start + 256]]
        low, high = min(low, float(piece.min())), max(high, float(piece.max()))
    if low >= 0.0 and high <= 255.0:
        return 0.0, 1.0 if high <= 1.0 else 255.0
    return (low, high) if low <= high else (0.0, 1.0)


def _groups(placed: Sequence[Placed]) -> Iterator[tuple[Fill | None, list[Placed]]]:
    """Neighbors that move pixels with the same fill; None stands for kinds that change values."""
    for moves, neighbors in groupby(placed, lambda one: isinstance(one[1], Geometric)):
        if not moves:
            yield None, list(neighbors)
        else:
            yield from _by_fill(list(neighbors))


def _by_fill(moves: list[Placed]) -> Iterator[tuple[Fill, list[Placed]]]:
    """Cut where the fill changes; kinds that never look beyond the border go with their neighbors."""
    group: list[Placed] = []
    fill: Fill | None = None
    for place, kind in moves:
        own = kind.fill if isinstance(kind, Bordered) else None
        if own and fill and own != fill:
            yield fill, group
            group, fill = [], None
        group.append((place, kind))
        fill = own or fill
    yield fill or "edge", group


def _known(spec: AugmentSpec) -> Augmentation:
    assert isinstance(spec, Augmentation), f"{type(spec).__name__} has no implementation"
    return spec


def sort_of(shape: Shape) -> str:
    """What examples of a shape are: ``table``, ``sequences`` or ``pictures``."""
    return {1: "table", 2: "sequences", 3: "pictures"}[len(shape)]

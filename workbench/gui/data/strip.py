"""Examples before and after augmentation, as the training draws them: quick enough to follow a slider. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.data.augment.base import Augmentation, Span
from workbench.data.augment.pipeline import Augmenter, preview, problems, sort_of
from workbench.data.content import Array
from workbench.data.dataset import Dataset
from workbench.engine.backend import Backend
from workbench.gui.data.dials import dials_of
from workbench.gui.data.thumbs import Pixels, as_bytes, shrunk
from workbench.recipe.fields import facts
from workbench.recipe.kinds import AugmentSpec

SIDE = 64
"""Pictures are shown up to about twice this size; larger ones are made smaller first, and distances with them."""

_DOTS = 60
_MOST_VALUES = 60_000
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, eq=False)
class Strip:
    """One column of the strip: what was done, and what each of the examples became, uint8 ``(H, W, C)``."""

    caption: str
    pictures: tuple[Pixels, ...]


@dataclass(frozen=True)
class Words:
    """Captions: of the first column, and of all augmentations together in a pass over the data, with its number."""

    original: str = "original"
    together: str = "epoch {0}"


def spread_rows(rows: Array, count: int, start: int = 0) -> Array:
    """Some of the rows, spread over all of them whatever their order: sorted files would show one class only.

    Args:
        rows: row numbers.
        count: how many to pick; all where there are fewer.
        start: another start, another pick.
    """
    places = [int(len(rows) * ((start + number) * _GOLDEN % 1.0)) for number in range(count)]
    return np.asarray(rows[list(dict.fromkeys(places))] if len(rows) else rows, np.int64)


def strips(
    specs: Sequence[AugmentSpec],
    pictures: Sequence[Pixels],
    rows: Array,
    draw: tuple[int, int],
    shown: tuple[float, float],
    columns: int,
    words: Words | None = None,
) -> list[Strip]:
    """Pictures as they are, with each augmentation alone where there are several, and with all, pass after pass.

    Args:
        specs: the recipe's ``data.augment``; those that are off or do not fit the pictures are left out.
        pictures: ``(H, W, C)`` each, as the source has them.
        rows: their numbers in the dataset.
        draw: the training's seed, and the first pass to show.
        shown: the values that stand for black and white.
        columns: the most columns to give.
        words: the captions.
    """
    if not pictures:
        return []
    words, shape = words or Words(), pictures[0].shape
    fitting = usable(specs, shape)
    small = np.stack([shrunk(picture, SIDE)[0] for picture in pictures])
    scaled = [_scaled(spec, shrunk(pictures[0], SIDE)[1]) for spec in fitting]
    found = [Strip(words.original, tuple(as_bytes(picture, *shown) for picture in small))]
    on = [place for place, spec in enumerate(fitting) if spec.enabled]
    if not on:
        return found
    jobs = [(_alone(scaled, place), draw[1], caption(fitting[place], shape)) for place in on if len(on) > 1]
    passes = max(1, columns - 1 - len(jobs))
    jobs += [(scaled, epoch, words.together.format(epoch + 1)) for epoch in range(draw[1], draw[1] + passes)]
    values = (0.0, 255.0) if small.dtype == np.uint8 else shown
    top = shown[1] if small.dtype == np.uint8 else 255.0
    for part, epoch, text in jobs[: max(0, columns - 1)]:
        changed = preview(part, small, rows, draw[0], epoch, values)
        found.append(Strip(text, tuple(as_bytes(picture, 0.0, top) for picture in changed)))
    return found


def usable(specs: Sequence[AugmentSpec], shape: tuple[int, ...]) -> list[AugmentSpec]:
    """The augmentations with those turned off that cannot act on such examples; each keeps its place in the list."""
    return [_off(spec) if spec.enabled and problems([spec], shape) else spec for spec in specs]


def caption(spec: AugmentSpec, shape: tuple[int, ...]) -> str:
    """``rotate ±20°``."""
    dials = dials_of(type(spec), shape)
    values = [dial.text(getattr(spec, dial.field.name)) for dial in dials]
    return " ".join([spec.human_name(), *values])


def _alone(specs: Sequence[AugmentSpec], place: int) -> list[AugmentSpec]:
    # The others stay in the list, turned off: an augmentation's draw goes by its place.
    return [spec if number == place else _off(spec) for number, spec in enumerate(specs)]


def _off(spec: AugmentSpec) -> AugmentSpec:
    return spec.model_copy(update={"enabled": False})


def _scaled(spec: AugmentSpec, step: int) -> AugmentSpec:
    """The augmentation for a picture that was made ``step`` times smaller."""
    distances = {
        name: getattr(spec, name) / step
        for name, field in facts(type(spec)).items()
        if field.unit == "px" and field.annotation is float
    }
    return spec.model_copy(update=distances) if step > 1 else spec


@dataclass(frozen=True, eq=False)
class Moves:
    """Some values of one column before and after noise, both ``(n,)`` in the column's unit."""

    column: str
    before: Array
    after: Array


def number_features(dataset: Dataset) -> list[str]:
    """The number columns that are learned from."""
    return [feature.name for feature in dataset.encoder.features if feature.type == "number"]


class NoiseSample:
    """Some training rows of a table, kept ready so that only the noise is drawn anew while a slider moves.

    Args:
        dataset: a table.
    """

    def __init__(self, dataset: Dataset) -> None:
        encoder, train = dataset.encoder, dataset.sets["train"]
        few = max(1, min(_DOTS, _MOST_VALUES // max(1, dataset.inputs.shape[1]), len(train)))
        # Evenly over the training set: a sorted file would show one end only.
        self.rows: Array = train[np.linspace(0, len(train) - 1, few).round().astype(np.int64)]
        self._dataset = dataset
        self._before = ((dataset.inputs[self.rows] - encoder.shift) * encoder.scale).astype(np.float32)
        self._widths: dict[str, float] = {}

    def moves(self, specs: Sequence[AugmentSpec], column: str, seed: int, epoch: int) -> Moves:
        """What the augmentations make of a number column's values."""
        shape, place = self._before.shape[1:], self._place(column)
        after, widths = self._before.copy(), np.ones(shape, np.float32)
        widths[place] = self._width(column)
        span = Span(-np.inf, np.inf, widths)
        Augmenter(usable(specs, shape), shape, span, Backend(), seed=seed).apply(after, self.rows, epoch)
        return Moves(column, self._in_units(self._before, place), self._in_units(after, place))

    def _width(self, column: str) -> float:
        """The column's deviation as the training measures it. The others' are not shown, and need not be known."""
        if column not in self._widths:
            dataset, place = self._dataset, self._place(column)
            values = dataset.inputs[dataset.sets["train"], place]
            self._widths[column] = float(values.std(dtype=np.float64) * abs(dataset.encoder.scale[place]))
        return self._widths[column]

    def _in_units(self, values: Array, place: int) -> Array:
        encoder = self._dataset.encoder
        return np.asarray(values[:, place] / (float(encoder.scale[place]) or 1.0) + encoder.shift[place])

    def _place(self, column: str) -> int:
        return _first_value(self._dataset.encoder.features, column)


def _first_value(features: Sequence[Any], column: str) -> int:
    """Where a column's value stands among the encoded ones."""
    place = 0
    for feature in features:
        if feature.name == column:
            return place
        place += feature.width
    raise KeyError(column)


def kinds_for(shape: tuple[int, ...]) -> list[type[AugmentSpec]]:
    """The kinds of augmentations that can act on such examples."""
    sort = sort_of(shape)
    return [kind for kind in AugmentSpec.kinds().values() if issubclass(kind, Augmentation) and sort in kind.applies_to]

"""An example before and after augmentation, as the training draws it: quick enough to follow a slider. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.data.augment.base import Augmentation, Span
from workbench.data.augment.pipeline import Augmenter, preview, problems
from workbench.data.content import Array
from workbench.data.dataset import Dataset
from workbench.data.feeder import column_deviations
from workbench.engine.backend import Backend
from workbench.gui.data.dials import dials_of
from workbench.gui.data.thumbs import Pixels, as_bytes, shrunk
from workbench.recipe.fields import facts
from workbench.recipe.kinds import AugmentSpec

SIDE = 64
"""Pictures are shown up to about twice this size; larger ones are made smaller first, and distances with them."""

_DOTS = 40
_MOST_VALUES = 60_000


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture of the strip: what was done to it, and its pixels, uint8 ``(H, W, C)``."""

    caption: str
    pixels: Pixels


@dataclass(frozen=True)
class Draw:
    """Which example and which draw the strip shows: its row, the training's seed, and the pass."""

    row: int
    seed: int
    epoch: int


def tiles(
    specs: Sequence[AugmentSpec], picture: Pixels, draw: Draw, shown: tuple[float, float], words: tuple[str, str]
) -> list[Tile]:
    """The picture, with each augmentation alone, and with all of them.

    Args:
        specs: the recipe's ``data.augment``; those that are off or do not fit the pictures are left out.
        picture: ``(H, W, C)`` as the source has it.
        draw: the example and the draw.
        shown: the values that stand for black and white.
        words: the captions of the first and the last one.
    """
    fitting = usable(specs, picture.shape)
    small, step = shrunk(picture, SIDE)
    scaled = [_scaled(spec, step) for spec in fitting]
    values = (0.0, 255.0) if picture.dtype == np.uint8 else shown
    found = [Tile(words[0], as_bytes(small, *shown))]
    alone = [_alone(scaled, place) for place, spec in enumerate(fitting) if spec.enabled]
    captions = [caption(spec, picture.shape) for spec in fitting if spec.enabled]
    if len(alone) > 1:
        alone.append(scaled)
        captions.append(words[1])
    for part, text in zip(alone, captions, strict=True):
        changed = preview(part, small[None], np.array([draw.row]), draw.seed, draw.epoch, values)[0]
        top = shown[1] if picture.dtype == np.uint8 else 255.0
        found.append(Tile(text, as_bytes(changed, 0.0, top)))
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
        few = max(1, min(_DOTS, _MOST_VALUES // max(1, dataset.inputs.shape[1])))
        # Evenly over the training set: a sorted file would show one end only.
        self.rows: Array = train[np.linspace(0, len(train) - 1, min(few, len(train))).round().astype(np.int64)]
        self._dataset = dataset
        self._before = (dataset.inputs[self.rows] - encoder.shift) * encoder.scale
        deviations = column_deviations(dataset.inputs, train) * np.abs(encoder.scale)
        self._span = Span(-np.inf, np.inf, deviations.astype(np.float32))

    def moves(self, specs: Sequence[AugmentSpec], column: str, seed: int, epoch: int) -> Moves:
        """What the augmentations make of a number column's values."""
        shape = self._before.shape[1:]
        after = self._before.astype(np.float32)
        Augmenter(usable(specs, shape), shape, self._span, Backend(), seed=seed).apply(after, self.rows, epoch)
        return Moves(column, self._in_units(self._before, column), self._in_units(after, column))

    def _in_units(self, values: Array, column: str) -> Array:
        encoder = self._dataset.encoder
        place = _first_value(encoder.features, column)
        scale = float(encoder.scale[place])
        return np.asarray(values[:, place] / (scale or 1.0) + encoder.shift[place])


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
    sort = "pictures" if len(shape) == 3 else "table"
    return [kind for kind in AugmentSpec.kinds().values() if issubclass(kind, Augmentation) and sort in kind.applies_to]

"""Fits an encoder: everything it knows comes from the training set, so that dev and test stay unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from workbench.data.content import Array, Column, Content, listed, names_listed, sorted_names
from workbench.data.encoder import Encoder, Feature
from workbench.data.roles import Roles
from workbench.data.targets import Targets
from workbench.recipe.data import DataRecipe

_PIECE = 4096
_NARROWEST = 1e-30
"""A feature that varies by less is a constant: the scale would be beyond 32-bit numbers."""
_COARSE = 1e-5
"""A deviation below this share of the mean: 32-bit numbers (7 digits) leave it about two digits."""


@dataclass(frozen=True)
class _Spread:
    """What is measured of a feature or channel on the training set."""

    mean: float
    deviation: float
    low: float
    high: float

    def normalization(self, way: str) -> tuple[float, float]:
        """Shift and scale; a constant is shifted only."""
        width = {"standard": self.deviation, "minmax": self.high - self.low}.get(way, 1.0)
        constant = self.low == self.high or width < _NARROWEST
        shift = {"standard": self.mean, "minmax": self.low}.get(way, 0.0)
        return shift, 1.0 if constant else 1.0 / width


def fit_encoder(
    recipe: DataRecipe, content: Content, roles: Roles, targets: Targets, train: Array
) -> tuple[Encoder, tuple[str, ...]]:
    """Measure the training set.

    One-hot columns stay 0 and 1, whatever the normalization.

    Args:
        train: the rows of the training set, at least one.

    Returns:
        the encoder, and what the user should know.
    """
    assert roles.target is not None
    if content.arrays is not None:
        base, notices = _for_arrays(recipe, content.arrays, roles.target, targets, train)
    else:
        base, notices = _for_table(recipe, content, roles, targets, train)
    if recipe.task == "regression" and recipe.normalize_target == "standard":
        values = targets.values[train, 0].astype(np.float64)
        base = replace(base, target_shift=float(values.mean()), target_scale=float(values.std()) or 1.0)
    return base, tuple(notices)


def _for_arrays(
    recipe: DataRecipe, arrays: Array, target: str, targets: Targets, train: Array
) -> tuple[Encoder, list[str]]:
    """For pictures by channel over all pixels, for sequences by feature over all steps."""
    spreads = _of_bytes(arrays, train) if arrays.dtype == np.uint8 else _of_floats(arrays, train)
    pairs = np.array([spread.normalization(recipe.normalize) for spread in spreads], np.float32)
    encoder = Encoder(
        task=recipe.task,
        target=target,
        classes=targets.classes,
        features=(),
        input_shape=tuple(arrays.shape[1:]),
        shift=pairs[:, 0].copy(),
        scale=pairs[:, 1].copy(),
        pixels=arrays.dtype.name if arrays.ndim == 4 else "",
    )
    return encoder, []


def _pieces(arrays: Array, rows: Array) -> Iterator[Array]:
    """The examples of some rows, a piece at a time: they may be mapped from disk and need not fit into memory."""
    for start in range(0, len(rows), _PIECE):
        yield arrays[rows[start : start + _PIECE]]


def _of_bytes(pictures: Array, rows: Array) -> list[_Spread]:
    """Exact, by counting how often each value occurs in each channel."""
    channels = pictures.shape[3]
    counts = np.zeros((channels, 256), np.int64)
    for piece in _pieces(pictures, rows):
        for channel in range(channels):
            counts[channel] += np.bincount(piece[..., channel].ravel(), minlength=256)
    return [_of_counts(count) for count in counts]


def _of_counts(counts: Array) -> _Spread:
    values, total = np.arange(256.0), counts.sum()
    mean = float((values * counts).sum() / total)
    variance = float(((values - mean) ** 2 * counts).sum() / total)
    used = np.flatnonzero(counts)
    return _Spread(mean, variance**0.5, float(used[0]), float(used[-1]))


def _of_floats(arrays: Array, rows: Array) -> list[_Spread]:
    axes, size = tuple(range(arrays.ndim - 1)), len(rows) * prod(arrays.shape[1:-1])
    low = np.min([piece.min(axis=axes) for piece in _pieces(arrays, rows)], axis=0)
    high = np.max([piece.max(axis=axes) for piece in _pieces(arrays, rows)], axis=0)
    mean = sum(piece.sum(axis=axes, dtype=np.float64) for piece in _pieces(arrays, rows)) / size
    squares = (((piece - mean) ** 2).sum(axis=axes) for piece in _pieces(arrays, rows))
    deviation = np.sqrt(sum(squares) / size)
    facts = np.stack([mean, deviation, low, high], axis=1, dtype=np.float64)
    return [_Spread(*map(float, channel)) for channel in facts]


def _for_table(
    recipe: DataRecipe, content: Content, roles: Roles, targets: Targets, train: Array
) -> tuple[Encoder, list[str]]:
    columns = [column for name in roles.features if (column := content.column(name)) is not None]
    features = [_feature(column, train) for column in columns]
    notices = _unseen(columns, features, train)
    # A category column of which the training set has no value says nothing.
    kept = [(column, feature) for column, feature in zip(columns, features, strict=True) if feature.width]
    pairs: list[tuple[float, float]] = []
    for column, feature in kept:
        found, coarse = _normalization(column, feature, train, recipe.normalize)
        strength = recipe.weights.attributes.get(feature.name, 1.0)
        pairs += [(shift, scale * strength) for shift, scale in found]
        notices += coarse
    table = np.array(pairs, np.float32).reshape(-1, 2)
    encoder = Encoder(
        task=recipe.task,
        target=roles.target or "",
        classes=targets.classes,
        features=tuple(feature for _, feature in kept),
        input_shape=(len(table),),
        shift=table[:, 0].copy(),
        scale=table[:, 1].copy(),
    )
    return encoder, notices + _missing_notices(columns, features)


def _feature(column: Column, train: Array) -> Feature:
    values = column.values[train]
    if column.type == "number":
        known = values[~np.isnan(values)]
        return Feature(column.name, "number", float(known.mean()) if len(known) else 0.0)
    seen = np.unique(values[values >= 0])
    return Feature(column.name, "category", categories=sorted_names(column.categories[code] for code in seen))


def _normalization(
    column: Column, feature: Feature, train: Array, way: str
) -> tuple[list[tuple[float, float]], list[str]]:
    if feature.type == "category":
        return [(0.0, 1.0)] * feature.width, []
    values = column.values[train]
    # Measured on what the network will read: 32-bit numbers.
    seen = np.where(np.isnan(values), feature.fill, values).astype(np.float32).astype(np.float64)
    spread = _Spread(float(seen.mean()), float(seen.std()), float(seen.min()), float(seen.max()))
    return [spread.normalization(way)], _coarse(feature.name, values, spread)


def _coarse(name: str, values: Array, spread: _Spread) -> list[str]:
    known = values[~np.isnan(values)]
    varies = bool(len(known)) and known.min() != known.max()
    if not varies or spread.deviation > _COARSE * abs(spread.mean):
        return []
    return [
        f"Column {name!r} varies little around {spread.mean:.6g}: 32-bit numbers hardly tell its values apart. "
        "Subtract that number in the file."
    ]


def _unseen(columns: list[Column], features: list[Feature], train: Array) -> list[str]:
    empty = [column.name for column in columns if column.missing[train].all()]
    notices = [f"Without any value in the training set: {names_listed(empty)}."] if empty else []
    for column, feature in zip(columns, features, strict=True):
        strange = set(column.categories) - set(feature.categories)
        if strange and feature.width:
            text = f"{names_listed(sorted(strange), 5)} stand in no training example and count as unknown"
            notices.append(f"Column {column.name!r}: {text}.")
    return notices


def _missing_notices(columns: list[Column], features: list[Feature]) -> list[str]:
    counts: Mapping[str, int] = {column.name: int(column.missing.sum()) for column in columns}
    gaps = [f"{feature.name!r} ({counts[feature.name]:,})" for feature in features if counts[feature.name]]
    if not gaps:
        return []
    return [f"Missing values stand at the training mean (numbers) or belong to no category: {listed(gaps)}."]

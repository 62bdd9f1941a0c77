"""Files and contents for tests of the data package."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from workbench.data.content import Array, Column, Content, coded_column, number_column
from workbench.data.readers.base import Hints
from workbench.data.readers.table import read_table
from workbench.data.reading import read_sources
from workbench.recipe.data import Source
from workbench.recipe.recipe import Recipe

FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Debian's package dataset-fashion-mnist."""


def table(text: str | bytes, types: dict[str, Any] | None = None, **source: Any) -> Content:
    """What the table reader makes of a text."""
    data = text.encode() if isinstance(text, str) else text
    return read_table(data, Source(path="t.csv", **source), Hints(types or {}), lambda *told: None)


def read(path: Path, **source: Any) -> Content:
    """What the reader for a path makes of it."""
    return read_sources([Source(path=str(path), **source)])[0]


def values(content: Content, name: str) -> list[Any]:
    """A column as a person sees it: numbers, texts, None where missing."""
    column = content.column(name)
    assert column is not None, content.names
    if column.type == "number":
        return [None if np.isnan(value) else value for value in column.values.tolist()]
    return [column.categories[code] if code >= 0 else None for code in column.values.tolist()]


def texts(name: str, cells: Sequence[str | None]) -> Column:
    """A category column."""
    distinct = sorted({cell for cell in cells if cell is not None})
    codes = [-1 if cell is None else distinct.index(cell) for cell in cells]
    return coded_column(name, np.array(codes), distinct)


def numbers(name: str, cells: Sequence[float | None]) -> Column:
    """A number column."""
    return number_column(name, [np.nan if cell is None else cell for cell in cells])


def data_recipe(**data: Any) -> Any:
    """The data section of a recipe."""
    return Recipe.parse({"data": {"sources": ["t.csv"], **data}}).data


def write_idx(path: Path, array: Array) -> Path:
    """Write an IDX file of bytes, packed where the name says so."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    data = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_picture(path: Path, array: Array, **options: Any) -> Path:
    """Write a picture, ``(H, W)`` or ``(H, W, C)``, in the format of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array.astype(np.uint8)).save(path, **options)
    return path


def picture_folder(root: Path, classes: Sequence[str] = ("cat", "dog"), each: int = 3, size: int = 6) -> Path:
    """A folder of small PNG files, each class of another shade."""
    for number, name in enumerate(classes):
        for place in range(each):
            write_picture(root / name / f"{place}.png", np.full((size, size, 3), (number * 90, place, 30)))
    return root

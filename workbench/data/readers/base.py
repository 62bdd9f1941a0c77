"""What a file format's reader is. A reader is one file in this package; being imported registers it."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from workbench.data.content import Content, Progress
from workbench.recipe.data import ColumnType, Source


@dataclass(frozen=True)
class Hints:
    """What the recipe says of columns before they are read.

    Attributes:
        types: the types that are declared, by column.
        ignored: columns that are not used: what is wrong in them is no error.
        used: the only columns that are used; None where all others are.
        examples: what arrays hold, where the source does not say it.
    """

    types: Mapping[str, ColumnType] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    used: frozenset[str] | None = None
    examples: Literal["auto", "pictures", "sequences"] = "auto"

    def minds(self, name: str) -> bool:
        """Whether what is wrong in a column is an error."""
        return name not in self.ignored and (self.used is None or name in self.used)

    def strict(self) -> Hints:
        """The same, with every column used: content that is sound for these is what any others give."""
        return Hints(self.types, examples=self.examples)


class Reader(ABC):
    """Reads one family of file formats. Nothing that it reads is executed or unpickled, and sizes are capped."""

    kind: ClassVar[str] = ""
    """The name in a recipe's ``format``."""
    title: ClassVar[str] = ""
    """The name for people."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """The usual endings of its files, for a file dialog; empty for folders."""
    rank: ClassVar[int] = 50
    """Readers are asked in this order whether a file is theirs; those that are easily mistaken come last."""
    takes_labels: ClassVar[bool] = False
    """Whether labels may stand in a file of their own."""
    version: ClassVar[int] = 1
    """To be raised whenever the same file would be read differently, so that what was cached is read again."""
    registered: ClassVar[dict[str, Reader]] = {}

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        if cls.kind:
            Reader.registered[cls.kind] = cls()

    @abstractmethod
    def sniff(self, path: Path) -> bool:
        """Whether an existing file or folder looks like this format, by its content."""

    @abstractmethod
    def read(self, source: Source, hints: Hints, progress: Progress) -> Content:
        """Read it.

        Raises:
            InputError: what is wrong with it, where, and what to do.
        """

    def files(self, source: Source) -> list[Path]:
        """All files that decide what is read: where none of them has changed, nothing has."""
        return [source_path(source), *([Path(source.labels).expanduser()] if source.labels else [])]


def source_path(source: Source) -> Path:
    """Where a source lies."""
    return Path(source.path).expanduser()


def readers() -> list[Reader]:
    """All readers, in the order in which they are asked."""
    for module in pkgutil.iter_modules(importlib.import_module("workbench.data.readers").__path__):
        importlib.import_module(f"workbench.data.readers.{module.name}")
    return sorted(Reader.registered.values(), key=lambda reader: (reader.rank, reader.kind))

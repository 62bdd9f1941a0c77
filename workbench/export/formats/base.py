"""What an exporter is: a kind of file that a run can leave as, checked before it is offered.

An exporter registers itself by being a subclass with a ``kind``; its file stands in ``workbench.export.formats``.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import InputError
from workbench.export.onnx_ports import Port
from workbench.export.source import ExportSource

_HOME = "workbench.export.formats"


@dataclass(frozen=True)
class Exported:
    """A file's content.

    Attributes:
        data: the bytes.
        checked: what was checked and found, a clause.
        passed: whether all of it was as it should be.
        ports: of a file that computes, what it reads and gives.
    """

    data: bytes
    checked: str
    passed: bool = True
    ports: tuple[Port, ...] = ()


class Exporter(ABC):
    """A kind of export. Those with a ``kind`` are final and without state."""

    registered: ClassVar[dict[str, Exporter]] = {}

    kind: ClassVar[str] = ""
    """Its name on the command line."""
    title: ClassVar[str] = ""
    """Its name for people."""
    suffix: ClassVar[str] = ""
    """The usual end of its files' names, with the dot."""
    other_suffixes: ClassVar[tuple[str, ...]] = ()
    """Others that mean the same."""
    about: ClassVar[str] = ""
    """What it is good for, a sentence."""
    of_model: ClassVar[bool] = True
    """Whether it holds the model, of any checkpoint; else it is about the whole run."""

    def __init_subclass__(cls) -> None:
        if cls.kind:
            if cls.kind in Exporter.registered:
                raise TypeError(f"two exporters are called {cls.kind!r}")
            Exporter.registered[cls.kind] = cls()

    @abstractmethod
    def export(self, source: ExportSource) -> Exported:
        """Make the file, and check it.

        Raises:
            RunError: the check failed, so that there is nothing to offer.
            InputError: the run has nothing of the kind, or not yet.
            StoreError: the run folder is damaged.
        """


def exporters() -> dict[str, Exporter]:
    """All exporters by kind; the first call imports the files they stand in."""
    package = importlib.import_module(_HOME)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{_HOME}.{module.name}")
    return dict(sorted(Exporter.registered.items()))


def exporter(kind: str) -> Exporter:
    """An exporter by kind.

    Raises:
        InputError: there is none of this kind.
    """
    known = exporters()
    if kind not in known:
        raise InputError(f"there is no export {kind!r}", mend=f"The formats are {', '.join(known)}.")
    return known[kind]

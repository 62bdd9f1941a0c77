"""What exporting takes, in the background: which checkpoints there are, files written and checked, previews."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from workbench.data.encoder import Encoder
from workbench.errors import InputError, WorkbenchError
from workbench.export.formats.base import Exported, exporter, exporters
from workbench.export.formats.onnx import onnx_of
from workbench.export.onnx_ports import Port, ports_of
from workbench.export.report.build import report_of
from workbench.export.report.pdf import to_pictures
from workbench.export.source import KEPT, ExportSource
from workbench.export.weights import model_tensors
from workbench.gui.figures import grouped, shape
from workbench.gui.text import safe
from workbench.store.files import make_folder, write_file
from workbench.store.run_folder import RunFolder

REPORTS = ("html", "pdf")
WEIGHTS = "safetensors"
MOST_TEXT = 60_000
"""Characters of source that a preview shows."""


@dataclass(frozen=True)
class Order:
    """What shall be exported.

    Attributes:
        run: the run's folder.
        kind: the exporter.
        which: the checkpoint, see ``ExportSource``.
        path: the file.
        weights: whether the weights are written beside it too; for source code, which is of no use without.
    """

    run: Path
    kind: str
    which: str
    path: Path
    weights: bool = False

    def files(self) -> tuple[tuple[str, Path], ...]:
        """Kinds and files that will be written."""
        beside = ((WEIGHTS, self.path.with_suffix(exporter(WEIGHTS).suffix)),) if self.weights else ()
        return ((self.kind, self.path), *beside)


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes:
        kind: of the exporter.
        path: the file.
        size: bytes.
        sha256: of its content.
        epoch: of the checkpoint that it was made from.
        checked: what was checked and found.
        passed: whether all was as it should be.
    """

    kind: str
    path: Path
    size: int
    sha256: str
    epoch: int
    checked: str
    passed: bool


@dataclass(frozen=True)
class Preview:
    """What a file will hold, to be looked at before it is written.

    Attributes:
        pages: PNG pictures of a report.
        text: source code.
        facts: name, value and note.
        tensors: name, shape and type of each.
    """

    pages: tuple[bytes, ...] = ()
    text: str = ""
    facts: tuple[tuple[str, str, str], ...] = ()
    tensors: tuple[tuple[str, str, str], ...] = ()


def default_name(name: str, number: int, kind: str) -> str:
    """A file's name: ``digits-run-3.onnx``; of a report ``digits-run-3-report.html``."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "model"
    report = "-report" if kind in REPORTS else ""
    return f"{plain}-run-{number}{report}{exporter(kind).suffix}"


def checkpoints_of(run: Path) -> tuple[tuple[str, str], ...]:
    """The checkpoints of a run that a model can be taken from, the kept one first: key and words.

    Raises:
        WorkbenchError: the folder cannot be read.
    """
    with RunFolder.open(run) as folder:
        rows, kept = folder.checkpoints(), folder.recipe.training.kept
    if not rows:
        return ()
    last = rows[-1]
    best = next((row for row in rows if row.best), last)
    named = {"best": (best, _tr("best on dev")), "last": (last, _tr("last"))}
    row, words = named.pop(kept)
    options = [(KEPT, _tr("epoch {0}, {1}: the model that the diagnosis is about").format(grouped(row.epoch), words))]
    for key, (other, words) in named.items():
        if other.number != row.number:
            options.append((key, _tr("epoch {0}, {1}").format(grouped(other.epoch), words)))
    return tuple(options)


def write(order: Order) -> tuple[Written, ...]:
    """Export, check and write; nothing is written unless all of it passed its checks.

    Raises:
        InputError: the file's name is none.
        WorkbenchError: it could not be exported, did not pass, or could not be written.
    """
    if not order.path.name or order.path.is_dir():
        raise InputError("name a file, not a folder", where=str(order.path))
    made: list[tuple[str, Path, Exported]] = []
    with RunFolder.open(order.run) as folder:
        source = ExportSource(folder, order.which, datetime.date.today().isoformat())
        for kind, path in order.files():
            made.append((kind, path, exporter(kind).export(source)))
        epoch = source.checkpoint.epoch
    make_folder(order.path.parent)
    return tuple(
        Written(kind, path, len(one.data), write_file(path, one.data), epoch, one.checked, one.passed)
        for kind, path, one in made
    )


def preview(run: Path, kind: str, which: str) -> Preview:
    """What a file will hold.

    Raises:
        WorkbenchError: it cannot be exported.
    """
    with RunFolder.open(run) as folder:
        source = ExportSource(folder, KEPT if kind in REPORTS else which, datetime.date.today().isoformat())
        if kind in REPORTS:
            return Preview(pages=to_pictures(report_of(source)))
        if kind == "pytorch":
            text = exporter(kind).export(source).data.decode()
            return Preview(text=text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "\n…")
        return Preview(facts=_facts(source, kind), tensors=_tensors(source))


def _facts(source: ExportSource, kind: str) -> tuple[tuple[str, str, str], ...]:
    model = source.model
    through = _ports(ports_of(onnx_of(source))) if kind == "onnx" else _sizes(model.encoder)
    return (
        *through,
        (_tr("epoch"), grouped(source.checkpoint.epoch), ""),
        (_tr("parameters"), grouped(model.network.parameter_count()), ""),
    )


def _ports(ports: Sequence[Port]) -> tuple[tuple[str, str, str], ...]:
    """What the file reads and gives, by the names that a program needs for it."""
    ways = {"input": _tr("input"), "output": _tr("output")}
    return tuple(
        (
            ways[one.way] if one.name == one.way else f"{ways[one.way]} {safe(one.name)}",
            " × ".join(map(str, one.shape)),
            safe(f"{one.about}; {one.type}" if one.about else one.type),
        )
        for one in ports
    )


def _sizes(encoder: Encoder) -> tuple[tuple[str, str, str], ...]:
    """What goes through the network that the weights are for."""
    sizes, classes = encoder.input_shape, encoder.classes
    read = _tr("a picture") if len(sizes) == 3 else _tr("steps of features") if len(sizes) == 2 else _tr("features")
    given = _tr("labels") if encoder.task == "multilabel" else _tr("classes") if classes else _tr("a number")
    return (_tr("input"), shape(sizes), read), (_tr("output"), grouped(max(1, len(classes))), given)


def _tensors(source: ExportSource) -> tuple[tuple[str, str, str], ...]:
    model = source.model
    tensors = model_tensors(model.network, model.tensors, model.encoder)
    return tuple((safe(name), shape(array.shape) or "1", str(array.dtype)) for name, array in tensors.items())


def existing(order: Order) -> tuple[Path, ...]:
    """Files that would be replaced."""
    return tuple(path for _, path in order.files() if path.exists())


_OTHERS = {
    "an archive": ".zip .gz .7z .tar",
    "a document": ".doc .docx .odt .md .tex",
    "a picture": ".png .jpg .jpeg .svg .gif",
    "a table": ".csv .tsv .xlsx .xls .parquet",
    "plain text": ".txt",
    "PyTorch’s own checkpoints": ".pt .pth .ckpt",
    "Keras and HDF5": ".h5 .hdf5 .keras",
    "TensorFlow": ".pb .tflite",
    "a single NumPy array": ".npy",
    "a recipe": ".toml",
    "settings": ".json .yaml .yml",
}


def belongs_to(path: Path, kind: str) -> str:
    """The format that a file's ending belongs to where that is another than the chosen one, in words; else empty.

    Programs go by the ending: a model called ``.pdf`` opens nowhere.
    """
    suffix = path.suffix.lower()
    if not suffix or suffix == exporter(kind).suffix or suffix in exporter(kind).other_suffixes:
        return ""
    for other in exporters():
        if suffix == exporter(other).suffix or suffix in exporter(other).other_suffixes:
            return exporter(other).title
    return next((title for title, suffixes in _OTHERS.items() if suffix in suffixes.split()), "")


def with_ending(path: Path, kind: str, *, instead: bool = False) -> Path:
    """The file with the format's ending: appended where it has none, or ``instead`` of another format's."""
    ending = exporter(kind).suffix
    if instead:
        return path.with_suffix(ending)
    known = path.suffix.lower() in (ending, *exporter(kind).other_suffixes)
    return path if known or not path.name or belongs_to(path, kind) else path.with_name(path.name + ending)


def problem_of(path_text: str) -> WorkbenchError | None:
    """Why a typed path is none; None where it is one."""
    if not path_text.strip():
        return InputError(_tr("choose a file to write"))
    if not Path(path_text).expanduser().is_absolute():
        return InputError(_tr("name the file with its folder"), where=path_text)
    if path_text.strip().endswith(("/", os.sep)) or Path(path_text.strip()).expanduser().is_dir():
        # Else an ending would be put behind the folder's name.
        return InputError(_tr("name a file, not a folder"), where=path_text)
    return None


def _tr(text: str) -> str:
    return QCoreApplication.translate("export", text)

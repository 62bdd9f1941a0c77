"""``export``: a run's model or report as a file."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.console import put, put_json, say, table
from workbench.cli.main import add_verb
from workbench.cli.new import check_output
from workbench.export.formats.base import Exported, exporter, exporters
from workbench.export.source import KEPT, ExportSource
from workbench.store.files import write_file
from workbench.store.run_folder import RunFolder


def add_export(parsers: Any) -> None:
    """Add the verb ``export``."""
    kinds = exporters()
    listed = "\n".join(f"  {kind:12} {each.about}" for kind, each in kinds.items())
    parser = add_verb(
        parsers,
        "export",
        _export,
        "workbench export runs/first --format onnx -o model.onnx\n"
        "  workbench export runs/first --format html -o report.html",
        f"Write a run's model or its diagnosis report as a file; it is checked first.\n\nformats:\n{listed}",
    )
    parser.add_argument("run", type=Path, metavar="DIR", help="the run's folder")
    parser.add_argument("--format", required=True, choices=list(kinds), help="what to write")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--checkpoint", default=KEPT, metavar="WHICH", help="of a model: kept (default), best, last or a number"
    )
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def _export(options: argparse.Namespace) -> int:
    check_output(options.output, options.force)
    with RunFolder.open(options.run) as folder:
        source = ExportSource(folder, options.checkpoint, datetime.date.today().isoformat())
        exported = exporter(options.format).export(source)
        row = source.checkpoint
    digest = write_file(options.output, exported.data)
    _tell_of_ending(options.output, options.format)
    if options.json:
        put_json(
            {
                "file": str(options.output),
                "format": options.format,
                "bytes": len(exported.data),
                "sha256": digest,
                "epoch": row.epoch,
                "checkpoint": row.number,
                "passed": exported.passed,
                "checked": exported.checked,
                **_ports_json(exported),
            }
        )
        return 0
    title = exporter(options.format).title
    size = f"{len(exported.data):,} bytes, epoch {row.epoch}"
    put(f"{options.output} written: {title} ({size}). Checked: {exported.checked}.")
    if exported.ports:
        rows = [[one.way, one.name, one.type, _shape_text(one.shape), one.about] for one in exported.ports]
        put(table([["", "name", "type", "shape", "meaning"], *rows], set()))
    return 0


def _tell_of_ending(path: Path, kind: str) -> None:
    """Another ending than the usual one is the user's choice; other programs may not know it."""
    usual = exporter(kind).suffix
    if path.suffix.lower() not in (usual, *exporter(kind).other_suffixes):
        ending = f"{path.suffix!r} is not" if path.suffix else "no ending is"
        say(f"note: {ending} the usual ending of {exporter(kind).title}, {usual} is; other programs go by it.")


def _ports_json(exported: Exported) -> dict[str, Any]:
    """What the file reads and gives; nothing of files that do not compute."""
    if not exported.ports:
        return {}
    return {f"{way}s": [one.to_json() for one in exported.ports if one.way == way] for way in ("input", "output")}


def _shape_text(sizes: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, sizes))})"

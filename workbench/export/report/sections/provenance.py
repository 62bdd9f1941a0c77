"""Where the report comes from: the whole recipe, what computed it, and how to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from workbench.events import RunStarted
from workbench.export.report.blocks import Bullets, Fact, Facts, Heading, Listing, Paragraph, Section
from workbench.export.report.text import count, duration
from workbench.export.source import ExportSource


def recipe_section(source: ExportSource) -> Section:
    """The recipe as it ran, every default written out."""
    return Section(
        "recipe",
        "Recipe",
        (Listing(source.recipe.toml().strip(), long=True),),
        "as it ran, every default written out",
    )


def environment_section(source: ExportSource) -> Section:
    """What computed it, and how to reproduce it."""
    facts = Facts(tuple(_facts(source)))
    return Section("environment", "Environment and reproduction", (facts, *_reproduction(source)))


def _facts(source: ExportSource) -> Iterator[Fact]:
    summary: dict[str, Any] = source.summary
    started = next((event for event in reversed(source.events) if isinstance(event, RunStarted)), None)
    yield Fact("device", started.device if started else str(summary["device"]))
    yield Fact("threads", count(summary["threads"]))
    yield Fact("training time", duration(summary["training_seconds"]), "without evaluation")
    speed = summary["examples_per_second"]
    yield Fact("speed", f"{count(round(speed))} examples/s" if speed else "–", "training only")
    yield Fact("steps", count(summary["steps"]))
    for name, version in summary["versions"].items():
        yield Fact(_LABELS.get(name, name), str(version))


_LABELS = {"python": "Python", "workbench": "Workbench", "numpy": "NumPy", "cupy": "CuPy"}


def _reproduction(source: ExportSource) -> Iterator[Heading | Listing | Bullets | Paragraph]:
    summary: dict[str, Any] = source.summary
    yield Heading("How to reproduce it")
    yield Paragraph("Save the recipe above as recipe.toml, see that the data lie where it says, and run:")
    yield Listing("\n".join(commands(source)))
    yield Bullets(
        (
            f"Recipe, SHA-256 of its content: {summary['recipe_fingerprint']}",
            f"Data, SHA-256 of their content: {summary['data_fingerprint']}",
            "On the same kind of CPU, equal versions, recipe, data and number of threads give equal weights, bit by bit.",
        )
    )


def commands(source: ExportSource) -> list[str]:
    """What to write on the command line to get this run and this report again."""
    summary: dict[str, Any] = source.summary
    run = shlex.quote(source.folder.path.resolve().name or "run")
    device, threads = summary["device"], summary["threads"]
    return [
        f"workbench train recipe.toml --run {run} --device {device} --threads {threads}",
        f"workbench diagnose {run}",
        f"workbench export {run} --format html -o report.html",
    ]

"""Where the report comes from: the whole recipe, what computed it, and how to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from workbench.events import RunStarted, WeightsLoaded
from workbench.export.report.blocks import Fact, Facts, Heading, Listing, Paragraph, Section
from workbench.export.report.text import count, duration
from workbench.export.source import ExportSource
from workbench.session.results import goals_of_run
from workbench.store.names import shown


def recipe_section(source: ExportSource) -> Section:
    """The recipe as it ran, every default written out."""
    listing = Listing(source.recipe.toml().strip(), long=True)
    return Section("recipe", "Recipe", (*_other_goals(source), listing), "as it ran, every default written out")


def _other_goals(source: ExportSource) -> Iterator[Paragraph]:
    goals = goals_of_run(source.folder)
    if goals != source.recipe.goals:
        told = ", ".join(f"{name} = {value}" for name, value in goals.model_dump().items() if value is not None)
        yield Paragraph(f"The goals were changed after the run. This report measures by: {told}.")


def environment_section(source: ExportSource) -> Section:
    """What computed it, and how to reproduce it."""
    facts = Facts(tuple(_facts(source)), wide=True)
    return Section("environment", "Environment and reproduction", (facts, *_reproduction(source)))


def _facts(source: ExportSource) -> Iterator[Fact]:
    summary = source.summary
    started = next((event for event in reversed(source.events) if isinstance(event, RunStarted)), None)
    yield Fact("device", started.device if started else str(summary["device"]))
    yield Fact("threads", count(summary["threads"]))
    yield Fact("training time", duration(summary["training_seconds"]), "without evaluation")
    speed = summary["examples_per_second"]
    yield Fact("speed", f"{count(round(speed))} examples/s" if speed else "–", "training only")
    yield Fact("steps", count(summary["steps"]))
    versions: dict[str, str] = summary["versions"]
    yield Fact("platform", versions.get("platform", "unknown"))
    named = [f"{_LABELS.get(name, name)} {version}" for name, version in versions.items() if name != "platform"]
    yield Fact("versions", ", ".join(named))
    loaded = next((event for event in source.events if isinstance(event, WeightsLoaded)), None)
    if loaded:
        yield from _start_facts(loaded)
    yield Fact("recipe, SHA-256", str(summary["recipe_fingerprint"]))
    yield Fact("data, SHA-256", str(summary["data_fingerprint"]))


def _start_facts(loaded: WeightsLoaded) -> Iterator[Fact]:
    """Where the first weights came from, and what of them was taken."""
    taken = f"{count(len(loaded.taken))} of {count(loaded.count)} tensors taken"
    yield Fact("weights to begin with", f"{loaded.source}: {taken}", loaded.path)
    for label, names in (
        ("of another shape, random", tuple(loaded.differs)),
        ("not there, random", loaded.absent),
        ("there and not used", loaded.unused),
    ):
        if names:
            more = f" and {count(len(names) - _MOST_NAMES)} more" if len(names) > _MOST_NAMES else ""
            yield Fact(label, ", ".join(shown(name) for name in names[:_MOST_NAMES]) + more)
    yield Fact("their SHA-256", loaded.sha256, " ".join(loaded.notes))


_MOST_NAMES = 12
_LABELS = {"python": "Python", "workbench": "Workbench", "numpy": "NumPy", "cupy": "CuPy"}


def _reproduction(source: ExportSource) -> Iterator[Heading | Listing | Paragraph]:
    yield Heading("How to reproduce it")
    yield Paragraph("Save the recipe above as recipe.toml, see that the data lie where it says, and run:")
    yield Listing("\n".join(commands(source)))
    yield Paragraph(
        "On the same kind of CPU, equal versions, number of threads, recipe and data (see their fingerprints above) "
        "give equal weights, bit by bit.",
        "muted",
    )


def commands(source: ExportSource) -> list[str]:
    """What to write on the command line to get this run and this report again."""
    summary = source.summary
    run = shlex.quote(source.folder.path.resolve().name or "run")
    device, threads = summary["device"], summary["threads"]
    return [
        f"workbench train recipe.toml --run {run} --device {device} --threads {threads}",
        f"workbench diagnose {run}",
        f"workbench export {run} --format html -o report.html",
    ]

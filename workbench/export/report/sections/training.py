"""Training: learning curves, the network, the settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from pydantic import BaseModel

from workbench.events import EpochDone, LearningRateChanged, RunStarted
from workbench.export.report.axes import Format
from workbench.export.report.blocks import (
    Block,
    Cell,
    Fact,
    Facts,
    Figure,
    Pair,
    Paragraph,
    Section,
    Table,
    cells,
    head,
)
from workbench.export.report.figures.curves import Level, Mark, Series, curves_drawing, wants_log
from workbench.export.report.text import MINUS, count, counted, number, shape, short, tight_percent
from workbench.export.source import ExportSource
from workbench.recipe.fields import FieldFacts, facts
from workbench.recipe.kinds import Kinded

_HALF = (400.0, 210.0)


def curves_section(source: ExportSource) -> Section | None:
    """Error, loss and learning rate over the epochs; none where nothing was trained."""
    curve = source.curve
    if len(curve) < 2:
        return None
    half = Pair(_loss_figure(curve), _rate_figure(source))
    blocks: list[Block] = [_error_figure(source), half, Paragraph(_curve_note(source), "muted")]
    return Section("curves", "Learning curves", tuple(blocks), "epoch 0 stands for the initial weights")


def _error_figure(source: ExportSource) -> Figure:
    curve, levels = source.curve, source.diagnosis.levels
    series = [Series("train", [each.train_error for each in curve], "accent")]
    if any(each.dev_error is not None for each in curve):
        series.append(Series("dev", [each.dev_error for each in curve], "purple", "6 4"))
    human = levels.human
    compared = [Level(human.value, f"human {tight_percent(human.value)}", "good_text")] if human else []
    log = wants_log(series)
    drawing = curves_drawing(
        _epochs(curve), series, _error_text, label="Training and dev error over the epochs.", levels=compared,
        marks=_rate_marks(source), best=_best(source), log=log,
    )  # fmt: skip
    zero = any(0 in each.ys for each in series)
    return Figure(f"Error{_scale(log)}", drawing, "0 is drawn at the lower edge." if log and zero else "")


def _scale(log: bool) -> str:
    return ", log scale" if log else ""


def _error_text(value: float) -> str:
    return tight_percent(value)


def _best(source: ExportSource) -> tuple[float, float, str] | None:
    best = source.summary.get("best_epoch")
    point = next((each for each in source.curve if each.epoch == best), None)
    if point is None or point.dev_error is None:
        return None
    return point.epoch, point.dev_error, f"best on dev: epoch {count(point.epoch)}"


def _rate_marks(source: ExportSource) -> list[Mark]:
    changes = [event for event in source.events if isinstance(event, LearningRateChanged)]
    return [Mark(each.epoch, _rate_words(each)) for each in changes]


def _rate_words(change: LearningRateChanged) -> str:
    why = "plateau: " if change.by_schedule else ""
    return f"{why}learning rate {number(change.before)} → {number(change.after)}"


def _loss_figure(curve: tuple[EpochDone, ...]) -> Figure:
    series = [Series("train", [each.train_loss for each in curve], "accent")]
    if any(each.dev_loss is not None for each in curve):
        series.append(Series("dev", [each.dev_loss for each in curve], "purple", "6 4"))
    text, log = "Training and dev loss over the epochs.", wants_log(series)
    drawing = curves_drawing(_epochs(curve), series, _loss_text, label=text, size=_HALF, log=log)
    return Figure(f"Loss{_scale(log)}", drawing)


def _loss_text(value: float) -> str:
    return number(value, 3)


def _rate_figure(source: ExportSource) -> Figure:
    done = [each for each in source.curve if each.epoch > 0]
    series = [Series("", [each.learning_rate for each in done], "good_text")]
    log = wants_log(series)
    text = "Learning rate over the epochs."
    written = rate_format([each.learning_rate for each in done])
    drawing = curves_drawing(_epochs(done), series, written, label=text, size=_HALF, log=log)
    return Figure(f"Learning rate{_scale(log)}", drawing)


def rate_format(rates: Sequence[float]) -> Format:
    """How learning rates are written on an axis: all with exponents where all are small, ``2e−4``, else ``0.02``."""
    small = max(rates, default=0.0) < 0.01
    return _exponential if small else lambda value: number(value, 2)


def _exponential(value: float) -> str:
    if not value or not isfinite(value):
        return number(value)
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", MINUS)


def _epochs(curve: Any) -> list[float]:
    return [float(each.epoch) for each in curve]


def _curve_note(source: ExportSource) -> str:
    summary = source.summary
    reason = str(summary["stop_reason"]).replace("_", " ")
    kept = "the best epoch on the dev set" if summary["kept"] == "best" else "the last epoch"
    epochs = counted(summary["epochs"], "epoch")
    return f"Training ended after {epochs} ({reason}). The kept model is of {kept}. {_sample_note(source)}".strip()


def _sample_note(source: ExportSource) -> str:
    """That the curve's training error is of a part of the examples, where it is."""
    started = next((event for event in source.events if isinstance(event, RunStarted)), None)
    if started is None or started.train_sample >= started.examples.get("train", 0):
        return ""
    some, every = count(started.train_sample), count(started.examples["train"])
    return f"While training, the training error and loss were measured on {some} of {every} examples."


def network_section(source: ExportSource) -> Section:
    """Every layer with its output shape, parameters and work."""
    network = source.network
    rows = [cells(Cell("input", strong=True), "", shape(network.input_shape), "", "")]
    for node in network.nodes:
        made = Cell(f"{type(node.layer).human_name()}{_separated(node.layer.summary())}", "muted")
        frozen = " (frozen)" if node.layer.frozen else ""
        numbers = (count(node.parameter_count()), short(node.multiply_adds()))
        rows.append((Cell(f"{node.name}{frozen}", strong=True), made, Cell(shape(node.shape)), *cells(*numbers)))
    total = (count(network.parameter_count()), short(network.multiply_adds()))
    rows.append((Cell("all"), Cell(""), Cell(""), *(Cell(each, strong=True) for each in total)))
    columns = head("Layer", "", "output", ">parameters", ">multiply-adds")
    note = "multiply-adds are of one example"
    return Section("network", "Network", (Table(columns, tuple(rows), footer=1), *_joints(source)), note)


def _separated(summary: str) -> str:
    return f" · {summary}" if summary else ""


def _joints(source: ExportSource) -> Iterator[Block]:
    """Which layers read others than the one before."""
    before, unusual = "input", []
    for node in source.network.nodes:
        if node.inputs != (before,):
            unusual.append(f"{node.name} reads {', '.join(node.inputs)}")
        before = node.name
    if unusual:
        yield Paragraph(f"Joints: {'; '.join(unusual)}. All other layers read the one before.", "muted")


def settings_section(source: ExportSource) -> Section:
    """All hyperparameters of the training."""
    recipe = source.recipe
    counted = len(list(_settings(recipe.training)))
    note = f"{count(source.network.parameter_count())} parameters were learned; these {counted} settings were chosen"
    return Section("training", "Training", (Facts(tuple(_settings(recipe.training)), wide=True),), note)


def _settings(model: BaseModel) -> Iterator[Fact]:
    for name, fact in facts(type(model)).items():
        yield Fact(fact.label, setting_text(getattr(model, name), fact))


def setting_text(value: Any, fact: FieldFacts | None = None) -> str:
    """A value of a recipe in words, kinds with their own settings: ``Adam (learning rate 0.001, ...)``."""
    if value is None or value in ((), {}):
        return (fact.placeholder if fact else "") or "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        if fact is not None and fact.unit == "fraction":
            return tight_percent(value)
        return f"{number(value)}{_unit(fact, one=value == 1)}"
    if isinstance(value, BaseModel):
        return _model_text(value)
    if isinstance(value, tuple | list):
        return ", ".join(setting_text(item) for item in value)
    return str(value).replace("_", " ")


_SINGULAR = {"batches": "batch", "epochs": "epoch", "steps": "step"}


def _unit(fact: FieldFacts | None, *, one: bool) -> str:
    if fact is None or not fact.unit:
        return ""
    return f"\u00a0{_SINGULAR.get(fact.unit, fact.unit) if one else fact.unit}"


def _model_text(model: BaseModel) -> str:
    fields = {name: fact for name, fact in facts(type(model)).items() if name != "enabled"}
    inner = ", ".join(f"{fact.label} {setting_text(getattr(model, name), fact)}" for name, fact in fields.items())
    if not isinstance(model, Kinded):
        return inner
    inner = inner if getattr(model, "enabled", True) else "off"
    return f"{type(model).human_name()} ({inner})" if inner else type(model).human_name()

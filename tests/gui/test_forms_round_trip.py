"""Every form gives back what it was given: over all recipe models and all registered kinds."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from workbench.gui.forms.form import Form
from workbench.recipe.data import DataRecipe, RowWeight, Source, Split, Weights
from workbench.recipe.fields import Frozen
from workbench.recipe.kinds import AugmentSpec, LayerSpec, LossSpec, OptimizerSpec, ScheduleSpec
from workbench.recipe.network import NetworkRecipe
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import EarlyStopping, Goals, StartFrom, TrainingRecipe

_FAMILIES = (LayerSpec, LossSpec, OptimizerSpec, ScheduleSpec, AugmentSpec)
_KINDS = [kind for family in _FAMILIES for kind in family.kinds().values()]


def _first(kind: type[Frozen]) -> Frozen:
    required = {name: 10 for name, field in kind.model_fields.items() if field.is_required()}
    return kind(**required)


def _layers(*layers: dict[str, Any]) -> NetworkRecipe:
    return NetworkRecipe.model_validate({"layers": layers})


_CNN = _layers(
    {"kind": "conv2d", "filters": 8, "kernel": (3, 5), "padding": 2, "stride": (1, 2)},
    {"kind": "conv2d", "padding": (1, 0), "initializer": "glorot_uniform", "bias": False},
    {"kind": "add", "inputs": ("conv_1", "conv_2")},
    {"kind": "max_pool2d", "stride": (2, 1)},
    {"kind": "reshape", "shape": (4, -1, 2)},
    {"kind": "flatten", "enabled": False},
    {"kind": "dense", "units": "classes", "frozen": True},
)
_DATA = DataRecipe.model_validate(
    {
        "sources": ["a.csv", {"path": "b.csv", "decimal": ",", "set": "test", "separator": ";"}],
        "target": "y",
        "exclude": ["id", "a name, with comma"],
        "columns": {"age": "category"},
        "split": {"train": 0.7, "dev": 0.1, "test": 0.2, "group": "patient"},
        "weights": {"attributes": {"age": 0.5}, "rows": [{"rows": "1-3", "weight": 2.5}], "column": "w"},
        "augment": [{"kind": kind} for kind in AugmentSpec.kinds()],
    }
)
_TRAINING = TrainingRecipe.model_validate(
    {
        "loss": "mean_squared_error",
        "optimizer": {"kind": "adamw", "learning_rate": 3e-5, "weight_decay": 0.0},
        "schedule": {"kind": "warmup", "epochs": 2.5, "then": {"kind": "staircase", "every": 3}},
        "l2": 1e-7,
        "dropout": 0.3,
        "clip_norm": 1.5,
        "early_stopping": {"patience": 9, "metric": "dev_loss"},
    }
)
_MODELS: list[Frozen] = [
    *(_first(kind) for kind in _KINDS),
    _CNN,
    *_CNN.layers,
    _DATA,
    *_DATA.sources,
    DataRecipe(),
    Source(path="x.npz", labels="y.npz"),
    Split(),
    RowWeight(rows="3, 10-20", weight=0.0),
    Weights(class_balance="inverse_frequency"),
    TrainingRecipe(),
    _TRAINING,
    EarlyStopping(min_delta=1e-4),
    StartFrom(path="run-3", checkpoint="best", layers=("conv_*",), rename={"conv_1": "features.0"}),
    Goals(),
    Goals(human_error=0.007, bayes_error=0.005, human_examples=123, max_latency_ms=0.5),
    Recipe(name="all of it", data=_DATA, network=_CNN, training=_TRAINING),
]


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: getattr(model, "kind", "") or type(model).__name__)
def test_that_a_form_gives_back_the_model_it_was_given(qtbot: QtBot, model: Frozen) -> None:
    form = Form(type(model))
    qtbot.addWidget(form)
    told: list[object] = []
    form.valueChanged.connect(lambda path, value: told.append(path))
    form.setValue(model)
    assert form.value() == model
    form.refresh(model)
    assert form.value() == model
    assert told == [], "what comes from the document must not go back to it"


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: getattr(model, "kind", "") or type(model).__name__)
def test_that_every_control_of_a_form_has_a_name_and_a_tip(qtbot: QtBot, model: Frozen) -> None:
    form = Form(type(model))
    qtbot.addWidget(form)
    form.setValue(model)
    for name, row in form.rows().items():
        assert row.editor.accessibleName(), name
        assert row.editor.toolTip().startswith(row.field.help[:20]), name

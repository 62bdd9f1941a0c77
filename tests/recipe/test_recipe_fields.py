"""Every field of every part of a recipe explains itself: forms, docs and errors are made from it."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from workbench.recipe.data import Source
from workbench.recipe.fields import Frozen, facts, knob
from workbench.recipe.kinds import AugmentSpec, Kinded, LayerSpec, LossSpec, OptimizerSpec, ScheduleSpec
from workbench.recipe.recipe import Recipe
from workbench.recipe.training import EarlyStopping, Goals, TrainingRecipe

FAMILIES = (LayerSpec, LossSpec, OptimizerSpec, ScheduleSpec, AugmentSpec)
FIELDS_OF_ALL_LAYERS = {"name", "inputs", "frozen", "enabled"}


def _models() -> list[type[BaseModel]]:
    for family in FAMILIES:
        family.kinds()
    found: list[type[BaseModel]] = []
    waiting: list[type[BaseModel]] = [Frozen]
    while waiting:
        model = waiting.pop()
        waiting.extend(model.__subclasses__())
        if model.__module__.startswith("workbench."):
            found.append(model)
    return found


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_that_every_field_has_a_help_text_of_whole_sentences(model: type[BaseModel]) -> None:
    for name, fact in facts(model).items():
        assert fact.help, f"{model.__name__}.{name} has no help"
        assert fact.help.endswith("."), f"{model.__name__}.{name}: {fact.help}"
        assert fact.help == fact.help.strip()
        assert fact.label


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_that_a_default_lies_in_its_range(model: type[BaseModel]) -> None:
    for name, fact in facts(model).items():
        if not isinstance(fact.default, int | float) or isinstance(fact.default, bool):
            continue
        low = fact.low is None or (fact.default > fact.low if fact.open_low else fact.default >= fact.low)
        high = fact.high is None or (fact.default < fact.high if fact.open_high else fact.default <= fact.high)
        assert low, f"{model.__name__}.{name}"
        assert high, f"{model.__name__}.{name}"
        assert not fact.choices or fact.default in fact.choices


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_that_kinds_of_a_family_have_titles_of_their_own_and_say_when_to_choose_them(family: type[Kinded]) -> None:
    kinds = family.kinds()
    assert kinds
    assert list(kinds) == sorted(kinds)
    names = [model.human_name() for model in kinds.values()]
    assert len(set(names)) == len(names)
    assert all(model.about.endswith(".") for model in kinds.values())
    assert all(model.__doc__ and model.__doc__ != family.__doc__ for model in kinds.values())


def test_that_all_kinds_of_the_contract_are_there() -> None:
    assert set(OptimizerSpec.kinds()) >= {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"}
    assert set(LossSpec.kinds()) >= {
        "cross_entropy", "binary_cross_entropy", "mean_squared_error", "mean_absolute_error",
    }  # fmt: skip
    assert set(ScheduleSpec.kinds()) >= {
        "constant", "inverse_time", "exponential", "inverse_sqrt", "staircase", "cosine", "warmup",
    }  # fmt: skip
    assert set(LayerSpec.kinds()) >= {
        "dense", "conv2d", "max_pool2d", "average_pool2d", "global_average_pool2d", "flatten", "activation", "dropout",
        "batch_norm", "add", "concatenate",
    }  # fmt: skip


def test_that_facts_tell_ranges_units_choices_and_emptiness() -> None:
    training, goals, source = facts(TrainingRecipe), facts(Goals), facts(Source)
    assert (training["dropout"].low, training["dropout"].high) == (0, 1)
    assert (training["dropout"].open_low, training["dropout"].open_high) == (False, True)
    assert (training["clip_norm"].low, training["clip_norm"].open_low) == (0, True)
    assert (training["clip_norm"].optional, training["clip_norm"].placeholder) == (True, "off")
    assert training["clip_norm"].annotation is float
    assert training["l2"].label == "L2"
    assert training["batch_size"].label == "batch size"
    assert training["batch_size"].log
    assert goals["human_error"].unit == "fraction"
    assert facts(EarlyStopping)["metric"].choices == ("dev_error", "dev_loss")
    assert facts(EarlyStopping)["min_delta"].advanced
    assert source["decimal"].choices == (".", ",")
    assert source["decimal"].optional
    assert source["path"].default is None
    assert facts(Recipe)["schema_version"].default == 1


def test_that_every_layer_has_the_fields_of_all_layers() -> None:
    for kind, model in LayerSpec.kinds().items():
        assert set(facts(model)) >= FIELDS_OF_ALL_LAYERS, kind


def test_that_a_part_shows_only_what_differs() -> None:
    assert repr(EarlyStopping(patience=9)) == "EarlyStopping(patience=9)"
    assert repr(EarlyStopping()) == "EarlyStopping()"
    assert repr(Recipe()) == "Recipe()"


def test_that_parts_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe().name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        Recipe().training.optimizer.learning_rate = 1.0  # type: ignore[misc]


def test_that_two_kinds_of_one_name_are_refused() -> None:
    class Base(Kinded):
        family = "tested thing"

    class _One(Base):
        kind = "one"

    with pytest.raises(TypeError, match="two tested thing kinds are called 'one'"):

        class _Other(Base):
            kind = "one"

    assert Base.kinds() == {"one": _One}
    Kinded.registered.pop("tested thing")


def test_that_an_advanced_field_can_be_declared_with_a_factory() -> None:
    class Part(Frozen):
        values: dict[str, float] = knob(factory=dict, help="Some values.", advanced=True, label="the values")

    fact = facts(Part)["values"]
    assert (fact.label, fact.default, fact.advanced) == ("the values", {}, True)

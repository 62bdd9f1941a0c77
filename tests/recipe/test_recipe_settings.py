"""Settings as a person types them: what is off, another kind, several at once, all mistakes."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipe.assignments import option, read_assignment
from workbench.recipe.recipe import Recipe


def typed(recipe: Recipe, *assignments: str) -> Recipe:
    return recipe.replace(dict(read for text in assignments if (read := read_assignment(text)) is not None))


@pytest.fixture
def recipe() -> Recipe:
    layers = [{"kind": "conv2d", "filters": 8}, "max_pool2d", "flatten", {"kind": "dense", "units": "classes"}]
    return Recipe.parse(
        {
            "data": {"sources": ["a.csv"], "augment": [{"kind": "noise"}]},
            "network": {"layers": layers},
            "training": {"early_stopping": {"patience": 3}, "clip_norm": 1.0},
        }
    )


def test_that_none_switches_off_what_is_optional(recipe: Recipe) -> None:
    changed = typed(recipe, "training.early_stopping=none", "training.clip_norm = none", "data.target=none")
    assert changed.training.early_stopping is None
    assert changed.training.clip_norm is None
    assert changed.data.target is None


def test_that_none_stays_a_word_where_it_is_one_and_in_quotes(recipe: Recipe) -> None:
    changed = typed(recipe, "data.normalize=none", "data.weights.class_balance=none", 'data.target="none"')
    assert changed.data.normalize == "none"
    assert changed.data.weights.class_balance == "none"
    assert changed.data.target == "none"
    with pytest.raises(RecipeError, match=r'training.epochs: must be a whole number, not "none"'):
        typed(recipe, "training.epochs=none")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.early_stopping", None),
        ("training.early_stopping", {"patience": 9, "metric": "dev_loss", "min_delta": 0.5}),
        ("training.clip_norm", None),
        ("data.target", "none"),
        ("data.target", "it's"),
        ('data.weights.attributes."a=b"', 0.5),
        ("network.width", 2.0),
        ("data.augment", []),
        ("data.augment", [{"kind": "noise", "enabled": True, "sigma": 0.1}]),
        ("training.optimizer", {"kind": "sgd", "learning_rate": 0.5}),
    ],
)
def test_that_what_the_advice_prints_can_be_typed(recipe: Recipe, path: str, value: Any) -> None:
    flag, text = shlex.split(option(path, value))
    assert flag == "--set"
    assert typed(recipe, text) == recipe.replace(path, value)


@given(text=st.text(max_size=30))
def test_that_no_text_is_too_odd_for_an_assignment(text: str) -> None:
    read = read_assignment(text)
    assert read is None or "=" in text


KINDS = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(KINDS, 2)))
def test_that_another_kind_keeps_the_shared_fields_and_gets_its_own(recipe: Recipe, before: str, after: str) -> None:
    first = recipe.replace("training.optimizer", {"kind": before, "learning_rate": 0.037})
    changed = first.replace("training.optimizer.kind", after).training.optimizer
    plain = recipe.replace("training.optimizer", {"kind": after}).training.optimizer
    assert changed.kind == after
    assert changed.learning_rate == 0.037
    own = set(type(plain).model_fields) - set(type(first.training.optimizer).model_fields)
    assert all(getattr(changed, name) == getattr(plain, name) for name in own)


def test_that_layers_schedules_losses_and_augmentations_change_their_kind(recipe: Recipe) -> None:
    changed = recipe.replace(
        {
            f"network.layers.{recipe.network.layers[1].name}.kind": "average_pool2d",
            "network.layers[0].units": 4,
            "network.layers[0].kind": "dense",
            "training.schedule.kind": "staircase",
            "training.loss.kind": "mean_squared_error",
            "data.augment[0].kind": "blur",
        }
    )
    assert [layer.kind for layer in changed.network.layers] == ["dense", "average_pool2d", "flatten", "dense"]
    assert changed.network.layers[0].name == recipe.network.layers[0].name, "others may read it by its name"
    assert changed.training.schedule.kind == "staircase"
    assert changed.training.loss.kind == "mean_squared_error"
    assert changed.data.augment[0].kind == "blur"


def test_that_the_order_of_settings_does_not_matter(recipe: Recipe) -> None:
    settings = ["training.optimizer.beta=0.8", "training.optimizer.kind=momentum", "training.optimizer.dampening=0.8"]
    made = {typed(recipe, *order).toml() for order in itertools.permutations(settings)}
    assert len(made) == 1
    assert recipe.replace("training.optimizer", {"kind": "momentum", "learning_rate": 0.001, "beta": 0.8,
                                                 "dampening": 0.8}).toml() in made  # fmt: skip


def test_that_all_wrong_settings_are_named_at_once(recipe: Recipe) -> None:
    with pytest.raises(RecipeError) as caught:
        typed(recipe, "learning_rate=-1", "training.epochs=abc", "foo.bar=2", "network.layers.0.filters=0")
    for text in ("learning_rate", "training.epochs", "foo.bar", "network.layers[0].filters"):
        assert text in str(caught.value)

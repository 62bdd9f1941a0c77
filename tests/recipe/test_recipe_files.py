"""Recipes as TOML: what was written comes back, every default is written out, and no file brings a traceback."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.recipes import recipes

from workbench.errors import RecipeError
from workbench.recipe.recipe import Recipe, read_toml

CONTRACT = """
schema = 1
name = "fashion CNN"

[data]
sources = [{ path = "train-images-idx3-ubyte.gz", labels = "train-labels-idx1-ubyte.gz", distribution = "shop" }]
task = "classification"
split = { train = 0.8, dev = 0.1, test = 0.1, stratify = true, seed = 0 }
normalize = "standard"
weights = { class_balance = "none", column = "w", attributes = { age = 0.5 } }

[[network.layers]]
kind = "conv2d"
filters = 32
kernel = 3
padding = "same"
[[network.layers]]
kind = "activation"
function = "relu"
[[network.layers]]
kind = "flatten"
[[network.layers]]
kind = "dense"
units = 10

[training]
loss = "cross_entropy"
epochs = 20
batch_size = 64
shuffle = true
seed = 0
l2 = 1e-4
optimizer = { kind = "adam", learning_rate = 1e-3 }
schedule = { kind = "inverse_time", decay_rate = 0.1 }
early_stopping = { patience = 5, metric = "dev_error" }

[goals]
human_error = 0.007
bayes_error = 0.005
max_latency_ms = 100
"""


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(recipe=recipes)
def test_that_a_recipe_comes_back_from_its_file_as_it_was(recipe: Recipe) -> None:
    again = Recipe.parse(tomllib.loads(recipe.toml()))
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()
    assert again.toml() == recipe.toml()
    assert recipe.diff(again) == ()


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(recipe=recipes)
def test_that_every_default_is_written_out(recipe: Recipe) -> None:
    def compare(part: Any, written: Any) -> None:
        if isinstance(part, dict):
            for key, value in part.items():
                if value is not None:
                    compare(value, written[key])
        elif isinstance(part, list):
            assert len(part) == len(written)
            for one, other in zip(part, written, strict=True):
                compare(one, other)

    written = tomllib.loads(recipe.toml())
    loss = written["training"]["loss"]
    if len(recipe.tree()["training"]["loss"]) == 1:
        assert loss == recipe.training.loss.kind
        written["training"]["loss"] = {"kind": loss}
    compare(recipe.tree(), written)


def test_that_the_short_form_gets_its_defaults() -> None:
    written = tomllib.loads(Recipe().toml())
    assert written["schema"] == 1
    assert written["training"]["optimizer"] == {
        "kind": "adam", "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
        "epsilon_inside_root": False, "amsgrad": False,
    }  # fmt: skip
    assert written["training"]["loss"] == {"kind": "cross_entropy", "label_smoothing": 0.0}
    assert written["training"]["schedule"] == {"kind": "constant"}
    assert (written["training"]["epochs"], written["training"]["batch_size"]) == (20, 64)
    assert written["data"]["split"] == "auto"
    assert "clip_norm" not in written["training"]


def test_that_the_recipe_of_the_contract_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(CONTRACT, encoding="utf-8")
    recipe = Recipe.load(path)
    assert recipe.name == "fashion CNN"
    assert [layer.name for layer in recipe.network.layers] == ["conv_1", "relu_1", "flat_1", "dense_1"]
    assert recipe.training.early_stopping is not None
    assert recipe.goals.max_latency_ms == 100


def test_that_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "recipe.toml"
    path.parent.mkdir()
    path.write_text('[data]\nsources = ["a.csv", { path = "../b.npy", labels = "/elsewhere/y.npy" }]', encoding="utf-8")
    first, second = Recipe.load(path).data.sources
    assert Path(first.path) == path.parent / "a.csv"
    assert first.labels is None
    assert Path(second.path).resolve() == tmp_path / "b.npy"
    assert second.labels == "/elsewhere/y.npy"


def test_that_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = Recipe.parse({"data": {"sources": ["~/a.csv"]}}).located(Path("/elsewhere"))
    assert recipe.data.sources[0].path == str(tmp_path / "a.csv")


def test_that_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xef\xbb\xbfname = 'from Windows'\r\n")
    assert Recipe.load(path).name == "from Windows"


def test_that_fingerprints_differ_where_recipes_do() -> None:
    base = Recipe()
    others = [base.replace("training.seed", 1), base.replace("name", "x"), base.replace("training.optimizer", "sgd")]
    assert len({recipe.fingerprint() for recipe in (base, *others)}) == 4
    assert len(base.fingerprint()) == 64


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"[data", "is no valid TOML"),
        (b"a = 1\na = 2", "is no valid TOML"),
        (b"\xff\xfe\x00", "is no valid TOML"),
        (b"a = " + b"[" * 100_000, "is no valid TOML"),
        (b"#" * (5 * 2**20), "is far too large for a recipe"),
        (b"schema = 2", "schema: must be 1, not 2"),
        (b"schema = '1'", 'schema: must be 1, not "1"'),
    ],
)
def test_that_a_bad_file_is_told_by_name(tmp_path: Path, content: bytes | None, text: str) -> None:
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    assert str(caught.value).startswith(str(path))
    assert text in str(caught.value)
    assert caught.value.exit_code == 2


def test_that_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        read_toml(tmp_path)


@settings(deadline=None, max_examples=200)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "ignore")))
def test_that_garbage_gives_a_recipe_error_or_a_recipe(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("garbage") / "recipe.toml"
    path.write_bytes(content)
    with contextlib.suppress(RecipeError):
        Recipe.load(path)

"""From a recipe to a dataset: roles, targets, sets and every mistake at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from support.data_rig import data_recipe, numbers, picture_folder, texts, write_idx

from workbench.data.content import Content
from workbench.data.dataset import Dataset, dataset_of, load_dataset
from workbench.data.targets import targets_of
from workbench.errors import InputError, RecipeError


@pytest.fixture
def people(tmp_path: Path) -> Path:
    rows = ["age,city,site,weight,class"]
    rows += [f"{20 + i},{['Oslo', 'Rome'][i % 2]},s{i % 7},{i % 3},{['no', 'yes', ''][i % 3]}" for i in range(60)]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(rows))
    return path


def load(path: Path, **data: Any) -> Dataset:
    return load_dataset(data_recipe(sources=[str(path)], **data))


def problems_of(path: Path, **data: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        load(path, **data)
    return str(caught.value)


def test_that_a_table_becomes_a_dataset(people: Path) -> None:
    dataset = load(people, target="class")
    assert dataset.inputs.shape == (60, 1 + 2 + 7 + 1)
    assert dataset.encoder.classes == ("no", "yes")
    assert dataset.targets.dtype == np.int64
    assert dataset.targets[:4].tolist() == [0, 1, -1, 0]
    assert {name: len(rows) for name, rows in dataset.sets.items()} == {"train": 24, "dev": 8, "test": 8}
    assert all((dataset.targets[rows] >= 0).all() for rows in dataset.sets.values())
    assert dataset.strengths.tolist() == [1] * 60
    assert (dataset.distributions, dataset.distribution_of.tolist()) == (("",), [0] * 60)
    assert "20 examples are left out: the target 'class' is missing there." in dataset.notices
    assert dataset.split_reason.startswith("60/20/20")
    assert len(dataset.fingerprint) == 64


def test_that_weight_group_and_target_are_never_features(people: Path) -> None:
    split = {"train": 0.6, "dev": 0.2, "test": 0.2, "group": "site"}
    dataset = load(people, target="class", split=split, weights={"column": "weight"})
    assert dataset.encoder.feature_names == ("age", "city=Oslo", "city=Rome")
    assert dataset.strengths.tolist() == [float(row % 3) for row in range(60)]
    sites = [{row % 7 for row in rows.tolist()} for rows in dataset.sets.values()]
    assert sum(len(part) for part in sites) == 7


def test_that_every_mistake_of_a_recipe_is_named_at_once(people: Path) -> None:
    message = problems_of(
        people,
        target="class",
        features=["age", "cty", "class", "weight"],
        exclude=["sit"],
        columns={"aeg": "number"},
        split={"train": 0.6, "dev": 0.2, "test": 0.2, "group": "sites"},
        weights={"column": "weight", "attributes": {"citi": 0.5}, "rows": [{"rows": "61", "weight": 2}]},
    )
    for text in (
        "data.features[1]: there is no column 'cty'; did you mean 'city'?",
        "data.features[2]: 'class' is the target and cannot be learned from",
        "data.features[3]: 'weight' is the column of strengths and cannot be learned from",
        "data.exclude[0]: there is no column 'sit'; did you mean 'site'?",
        "data.columns: there is no column 'aeg'; did you mean 'age'?",
        "data.split.group: there is no column 'sites'; did you mean 'site'?",
        "data.weights.attributes: there is no column 'citi'; did you mean 'city'?",
        "data.weights.rows[0]: rows 61 are not among the rows 1-60",
    ):
        assert text in message


def test_that_targets_that_cannot_be_predicted_are_said(people: Path) -> None:
    assert "no column is named to predict. Name one of 'age', 'city'" in problems_of(people)
    assert "there is no column 'clas'; did you mean 'class'?" in problems_of(people, target="clas")
    assert "the target 'class' holds texts ('no', 'yes')" in problems_of(people, target="class", task="regression")


@pytest.mark.parametrize(
    ("column", "task", "said"),
    [
        (texts("y", ["a", "a", None]), "classification", "has one class only, 'a'"),
        (numbers("y", [3, 3, 3]), "classification", "has one class only, '3'"),
        (numbers("y", [3, 3, None]), "regression", "has the same value everywhere"),
        (numbers("y", [None, None]), "classification", "is empty"),
        (numbers("y", [None, None]), "regression", "is empty"),
        (numbers("y", list(range(1001))), "classification", "1,001 different values.*For a measured number use task"),
        (texts("y", [f"t{n}" for n in range(1001)]), "classification", "1,001 different values.*Choose another column"),
    ],
)
def test_that_useless_targets_are_said(column: Any, task: str, said: str) -> None:
    _, problems = targets_of(task, [column])
    assert len(problems) == 1
    assert re.search(said, str(problems[0]))


def test_that_a_useless_target_stops_the_dataset(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,x\n2,x\n3,x\n")
    with pytest.raises(InputError, match="the target 'y' has one class only, 'x'"):
        load(path, target="y")


def test_that_class_names_of_numbers_are_in_order_of_value() -> None:
    targets, _ = targets_of("classification", [numbers("y", [10, 2, -1, 2.5, None])])
    assert targets.classes == ("-1", "2", "2.5", "10")
    assert targets.values.tolist() == [3, 1, 0, 2, -1]


def test_that_regression_keeps_values_and_unknown_ones_are_nan(people: Path) -> None:
    dataset = load(people, target="age", task="regression", exclude=["class"])
    assert dataset.targets.shape == (60, 1)
    assert dataset.targets.dtype == np.float32
    assert dataset.classes == ()
    assert dataset.encoder.input_shape == (2 + 7 + 1,)


def test_that_identifiers_are_no_features(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,x,y\n" + "".join(f"n{i},{i},{i % 2}\n" for i in range(1200)))
    message = problems_of(path, target="y")
    assert "column 'name' holds 1,200 different texts" in message
    assert 'data.exclude = ["name"]' in message
    assert load(path, target="y", exclude=["name"]).encoder.feature_names == ("x",)


def test_that_empty_columns_are_left_out_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,nothing,y\n1,,a\n2,,b\n3,,a\n4,,b\n")
    dataset = load(path, target="y")
    assert dataset.encoder.feature_names == ("x",)
    assert "Left out, as they are empty: 'nothing'." in dataset.notices
    assert "no column is left to learn from" in problems_of(path, target="y", exclude=["x"])


def test_that_a_recipe_without_sources_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"data\.sources: no data are named"):
        load_dataset(data_recipe(sources=[]))


def test_that_sources_may_stand_for_distributions_and_sets(tmp_path: Path) -> None:
    for name, count in (("shop", 40), ("street", 10), ("late", 5)):
        (tmp_path / f"{name}.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(count)))
    sources = [
        {"path": str(tmp_path / "shop.csv"), "distribution": "shop"},
        {"path": str(tmp_path / "street.csv"), "distribution": "street"},
        {"path": str(tmp_path / "late.csv"), "distribution": "shop", "set": "test"},
    ]
    dataset = load_dataset(data_recipe(sources=sources, target="y"))
    assert dataset.distributions == ("shop", "street")
    assert dataset.distribution_of.tolist() == [0] * 40 + [1] * 10 + [0] * 5
    assert dataset.sets["test"].tolist() == list(range(50, 55))
    assert len(dataset.sets["dev"]) == 10


def test_that_pictures_are_used_as_they_are_stored(tmp_path: Path) -> None:
    dataset = load(picture_folder(tmp_path / "p", each=10))
    assert dataset.inputs is dataset.content.pictures
    assert dataset.encoder.target == "label"
    assert dataset.encoder.classes == ("cat", "dog")
    assert dataset.encoder.input_shape == (6, 6, 3)


def test_that_pictures_without_labels_cannot_be_trained_on(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "a.idx", np.zeros((3, 4, 4)))
    assert "the pictures have no labels. Put them in a folder for each class" in problems_of(path)


def test_that_the_cache_changes_nothing(people: Path, tmp_path: Path) -> None:
    recipe = data_recipe(sources=[str(people)], target="class")
    plain, *cached = (load_dataset(recipe, cache) for cache in (None, tmp_path / "c", tmp_path / "c"))
    for dataset in cached:
        assert dataset.fingerprint == plain.fingerprint
        np.testing.assert_array_equal(dataset.inputs, plain.inputs)
        np.testing.assert_array_equal(dataset.sets["train"], plain.sets["train"])


def test_that_the_fingerprint_does_not_depend_on_the_path(people: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.txt"
    other.write_text(people.read_text().replace(",", ";"))
    assert load(other, target="class").fingerprint == load(people, target="class").fingerprint


def test_that_progress_is_told_and_may_cancel(people: Path) -> None:
    class Cancelled(Exception):
        pass

    told: list[str] = []
    load_dataset(
        data_recipe(sources=[str(people)], target="class"), None, lambda stage, done, total: told.append(stage)
    )
    assert "reading people.csv" in told
    assert told[-1] == "preparing data"

    def cancel(stage: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        load_dataset(data_recipe(sources=[str(people)], target="class"), None, cancel)


def test_that_excluded_columns_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,note,y\n1,5,a\n2,6,b\n3,7,a\n4,oops,b\n")
    assert "'note' is a column of numbers" in _input_error(path, target="y")
    assert load(path, target="y", exclude=["note"]).encoder.feature_names == ("x",)
    declared = load(path, target="y", columns={"note": "category"})
    assert declared.encoder.features[1].type == "category"


def _input_error(path: Path, **data: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(path, **data)
    return str(caught.value)


def test_that_a_dataset_can_be_made_anew_of_what_was_read() -> None:
    content = Content((numbers("x", list(range(20))), texts("y", ["a", "b"] * 10)))
    recipe = data_recipe(target="y", normalize="minmax", split={"train": 0.5, "dev": 0.5, "test": 0.0})
    dataset = dataset_of(recipe, [content])
    assert len(dataset.sets["train"]) == 10
    assert dataset.content is content


def test_that_breast_cancer_is_read_as_scikit_learn_has_it(tmp_path: Path) -> None:
    data = load_breast_cancer(as_frame=True)
    data.frame.to_csv(tmp_path / "t.csv", index=False)
    dataset = load(tmp_path / "t.csv", target="target")
    np.testing.assert_allclose(dataset.inputs, data.data.to_numpy(np.float32), rtol=1e-6)
    np.testing.assert_array_equal(dataset.targets, data.target)
    assert dataset.classes == ("0", "1")

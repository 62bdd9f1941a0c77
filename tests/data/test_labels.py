"""Several labels an example: read from columns or texts, divided alike, and named where they are none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data_rig import data_recipe, numbers, read, texts
from support.labels import NAMES, labeled_table, labels_csv

from workbench.data.cache import Cache
from workbench.data.content import Column, Content
from workbench.data.dataset import Dataset, dataset_of, load_dataset
from workbench.data.encoder import Encoder
from workbench.data.labels import binary_values, is_binary, labels_of_texts, lists_labels, rare_labels, yes_no_columns
from workbench.data.profile import profile_of
from workbench.data.propose import propose
from workbench.data.split import Examples, divide
from workbench.errors import InputError, RecipeError
from workbench.recipe.data import Split


def content_of(rows: int = 60, **more: Any) -> Content:
    features, labels = labeled_table(rows)
    columns = [numbers("a", features[:, 0].tolist()), numbers("b", features[:, 1].tolist())]
    columns += [numbers(name, labels[:, place].tolist()) for place, name in enumerate(NAMES)]
    return Content((*columns, *more.pop("columns", ())), **more)


def made(content: Content, **data: Any) -> Dataset:
    return dataset_of(data_recipe(**{"task": "multilabel", **data}), [content])


def table_of(tmp_path: Path, **more: Any) -> Dataset:
    path = labels_csv(tmp_path / "t.csv", **more)
    return load_dataset(data_recipe(sources=[str(path)], task="multilabel", targets=list(NAMES)))


def test_that_columns_of_0_and_1_become_labels_named_after_them(tmp_path: Path) -> None:
    dataset = table_of(tmp_path, unknown=0.1)
    _, labels = labeled_table(unknown=0.1)
    assert dataset.classes == NAMES
    assert dataset.encoder.feature_names == ("a", "b")
    assert dataset.targets.dtype == np.float32
    assert np.array_equal(dataset.targets, labels, equal_nan=True)


def test_that_an_example_without_any_known_label_is_in_no_set(tmp_path: Path) -> None:
    dataset = table_of(tmp_path, unknown=0.4)
    lost = np.isnan(dataset.targets).all(axis=1)
    assert lost.any()
    used = np.concatenate(list(dataset.sets.values()))
    assert sorted(used.tolist()) == np.flatnonzero(~lost).tolist()
    told = " ".join(dataset.notices)
    assert f"{lost.sum()} examples are left out: all labels are missing there" in told
    assert "single labels are unknown: they count neither way" in told


@pytest.mark.parametrize(
    "cells", [("yes", "no"), ("True", "False"), ("1", "0"), ("present", "ABSENT"), ("positive", "negative"), ("Y", "n")]
)
def test_that_texts_may_say_yes_and_no(cells: tuple[str, str]) -> None:
    column = texts("y", [cells[0], cells[1], None, cells[0]])
    assert np.array_equal(binary_values(column), [1, 0, np.nan, 1], equal_nan=True)
    assert is_binary(column)


@pytest.mark.parametrize("cells", [["yes", "maybe"], ["yes", "yes"], ["red", "green"], [None, None]])
def test_that_other_columns_are_not_taken_for_labels(cells: list[str | None]) -> None:
    assert not is_binary(texts("y", cells))
    assert not is_binary(numbers("y", [1, 2]))


def test_that_every_column_that_is_no_label_is_named() -> None:
    content = content_of(columns=(texts("kind", ["red", "blue", "no"] * 20), numbers("size", [0, 1, 2] * 20)))
    with pytest.raises(RecipeError) as caught:
        made(content, targets=["low", "kind", "size"])
    told = str(caught.value)
    assert "column 'kind' is no label: it holds 'red', 'blue'" in told
    assert "column 'size' is no label: it holds '2' in rows 3, 6, 9 and 17 more" in told
    assert "data.targets" in told
    assert "A label is 1 or 0" in told


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"task": "classification", "targets": ["low", "odd"]},
            "several columns to predict are for task",
        ),
        ({"targets": ["low", "odd"], "target": "high"}, "names columns to predict, and so does data.target"),
        ({}, "no column is named to predict"),
        ({"targets": ["low", "lo"]}, r"data.targets\[1\]: there is no column 'lo'"),
        ({"targets": ["low", "odd"], "features": ["a", "odd"]}, "'odd' is a target and cannot be learned from"),
        (
            {"targets": ["low", "odd"], "weights": {"class_balance": "inverse_frequency"}},
            "balances classes, but the task is multilabel. The loss has positive_weight",
        ),
    ],
)
def test_that_recipes_that_do_not_fit_are_told_why(data: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError) as caught:
        made(content_of(), **data)
    assert re.search(said, str(caught.value).replace("\n", " ")), str(caught.value)


def test_that_labels_may_be_listed_in_one_text() -> None:
    cells = ["red; round", "round", None, "red|heavy", ";"] * 12
    dataset = made(content_of(columns=(texts("tags", cells),)), target="tags", exclude=list(NAMES))
    assert dataset.classes == ("heavy", "red", "round")
    expected = [[0, 1, 1], [0, 0, 1], [np.nan] * 3, [1, 1, 0], [0, 0, 0]]
    assert np.array_equal(dataset.targets[:5], expected, equal_nan=True)
    assert 2 not in np.concatenate(list(dataset.sets.values()))


def test_that_a_separator_alone_says_that_there_is_no_label_and_an_empty_cell_that_nobody_knows(tmp_path: Path) -> None:
    cells = ["red;round", ";", "", "red", "|", " ; ", "heavy;red"] * 10
    (tmp_path / "t.csv").write_text("\n".join(["a,tags", *(f"{row},{cell}" for row, cell in enumerate(cells))]))
    proposal = propose([tmp_path / "t.csv"])
    assert proposal.recipe.data.task == "multilabel"
    dataset = proposal.dataset
    assert dataset is not None
    assert dataset.classes == ("heavy", "red", "round")
    none, unknown = [0.0, 0.0, 0.0], [np.nan] * 3
    told = [[0.0, 1.0, 1.0], none, unknown, [0.0, 1.0, 0.0], none, none, [1.0, 1.0, 0.0]]
    np.testing.assert_array_equal(dataset.targets, np.array(told * 10, np.float32))
    in_sets = np.concatenate(list(dataset.sets.values()))
    assert len(in_sets) == 60, "examples of which nothing is known are in no set, those without a label are"


def test_that_a_new_text_with_strange_labels_is_read_and_told() -> None:
    tags = texts("tags", ["red; round", "round; heavy"] * 30)
    dataset = made(content_of(columns=(tags,)), target="tags", exclude=list(NAMES))
    new = Content((numbers("a", [0.0]), numbers("b", [0.0]), texts("tags", ["red; square"])))
    assert dataset.encoder.encode_targets(new).tolist() == [[0, 1, 0]]
    assert "Labels that were not learned: 'square'." in dataset.encoder.notes(new)


def test_that_one_column_may_be_the_only_label() -> None:
    dataset = made(content_of(), target="odd")
    assert dataset.classes == ("odd",)
    assert dataset.targets.shape == (60, 1)


def test_that_an_encoder_of_labels_outlives_a_round_trip_and_reads_what_there_is(tmp_path: Path) -> None:
    encoder = Encoder.from_json(table_of(tmp_path).encoder.to_json())
    assert encoder.target_columns == NAMES
    part = Content((numbers("odd", [1.0, None]), numbers("low", [0.0, 1.0])))
    expected = [[0, np.nan, 1], [1, np.nan, np.nan]]
    assert np.array_equal(encoder.encode_targets(part), expected, equal_nan=True)
    with pytest.raises(InputError, match="column 'odd' is no label: it holds '7' in row 1"):
        encoder.encode_targets(Content((numbers("odd", [7.0]),)))


@pytest.mark.parametrize("kind", [float, np.int64, bool])
def test_that_arrays_of_labels_are_read_and_marked(tmp_path: Path, kind: Any) -> None:
    features, labels = labeled_table(40)
    np.savez(tmp_path / "t.npz", x=features, y=labels.astype(kind), target_names=np.array(NAMES))
    content = read(tmp_path / "t.npz")
    assert content.labels == NAMES
    dataset = made(content)
    assert dataset.classes == NAMES
    assert np.array_equal(dataset.targets, labels)
    assert dataset.encoder.feature_names == ("x1", "x2")
    with pytest.raises(RecipeError, match=r"the files hold 3 labels.*Use task = .multilabel"):
        made(content, task="classification")


def test_that_pictures_may_have_several_labels_of_which_some_are_unknown(tmp_path: Path) -> None:
    labels = np.array([[1, 0], [1, 1], [np.nan, 1], [0, 0]] * 5)
    np.savez(tmp_path / "t.npz", images=np.zeros((20, 8, 8), np.uint8), labels=labels)
    proposal = propose([tmp_path / "t.npz"])
    assert proposal.recipe.data.task == "multilabel"
    assert proposal.recipe.data.targets == ("label1", "label2")
    assert proposal.dataset is not None
    assert np.array_equal(proposal.dataset.targets, labels, equal_nan=True)


def test_that_one_label_an_example_still_is_a_class(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=np.zeros((6, 2)), y=np.eye(3)[[0, 1, 2, 0, 1, 2]])
    assert read(tmp_path / "t.npz").label == "y"


def test_that_marked_labels_come_through_the_cache(tmp_path: Path) -> None:
    cache, content = Cache(tmp_path), content_of(labels=NAMES)
    assert cache.keep("k", content).labels == NAMES


def test_that_columns_that_are_named_alike_are_proposed_together(tmp_path: Path) -> None:
    features, labels = labeled_table(80)
    lines = ["a,b,label_low,label_high,smoker"]
    for row, truth in zip(features, labels, strict=True):
        lines.append(f"{row[0]:.4f},{row[1]:.4f},{int(truth[0])},{int(truth[1])},{int(truth[2])}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    proposal = propose([tmp_path / "t.csv"])
    assert proposal.recipe.data.targets == ("label_low", "label_high")
    assert proposal.recipe.training.loss.kind == "sigmoid_cross_entropy"
    assert any("of which an example may have several" in reason for reason in proposal.reasons)


def test_that_columns_of_yes_and_no_are_pointed_out_where_the_target_is_a_guess(tmp_path: Path) -> None:
    path = labels_csv(tmp_path / "t.csv", unknown=0.1)
    (told,) = (reason for reason in propose([path]).reasons if "data.targets" in reason)
    assert told.startswith("3 columns say yes or no ('low', 'high', 'odd').")
    assert "multilabel" in told
    assert "--target" in told
    assert not any("data.targets" in reason for reason in propose([path], "odd").reasons), "one was asked for"
    lines = ["a,b,c,low", *(f"{row},{row % 7},{row % 3},{row % 2}" for row in range(60))]
    (tmp_path / "one.csv").write_text("\n".join(lines))
    assert not any("data.targets" in reason for reason in propose([tmp_path / "one.csv"]).reasons)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, np.nan]), min_size=1, max_size=8), st.integers(0, 2_000))
def test_that_columns_of_yes_and_no_are_found_wherever_the_other_value_stands(end: list[float], rows: int) -> None:
    column = Column("c", "number", np.array([*([0.0, 1.0] * rows), *end]))
    assert yes_no_columns([column]) == (("c",) if is_binary(column) else ())


def test_that_several_targets_are_proposed_as_labels_and_rare_ones_told(tmp_path: Path) -> None:
    path = labels_csv(tmp_path / "t.csv", rows=400)
    proposal = propose([path], NAMES)
    assert proposal.problem is None
    assert proposal.recipe.data.targets == NAMES
    assert proposal.recipe.data.target is None
    assert any(re.search(r"Rare labels \('odd' [\d.]+ %\)", reason) for reason in proposal.reasons)
    with pytest.raises(InputError, match="column 'a' is no label"):
        propose([path], ("low", "a"))


def test_that_a_label_that_nobody_knows_is_not_called_rare() -> None:
    nobody = Column("nobody", "number", np.full(50, np.nan))
    seldom = Column("seldom", "number", np.where(np.arange(50) == 0, 1.0, 0.0))
    assert rare_labels([nobody, seldom]) == ["'seldom' 2 %"]


def test_that_a_column_of_lists_is_proposed_as_labels(tmp_path: Path) -> None:
    cells = ["red;round", "round", "red", "red;heavy;round", "heavy"]
    lines = ["a,target", *(f"{row},{cells[row % 5]}" for row in range(60))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    proposal = propose([tmp_path / "t.csv"])
    assert (proposal.recipe.data.task, proposal.recipe.data.target) == ("multilabel", "target")
    assert proposal.dataset is not None
    assert proposal.dataset.classes == ("heavy", "red", "round")
    assert not lists_labels(texts("name", ["a;b", "c;d", "e;f"]))


@given(st.integers(1, 120), st.integers(1, 70), st.integers(0, 99), st.booleans())
def test_that_labeled_examples_are_divided_completely(rows: int, width: int, seed: int, stratify: bool) -> None:
    chance = np.random.default_rng(seed)
    labels = (chance.random((rows, width)) < chance.random(width)).astype(np.float32)
    names = tuple(map(str, range(width)))
    split = Split(train=0.6, dev=0.2, test=0.2, stratify=stratify, seed=seed)
    division, problems = divide(split, Examples(np.ones(rows, bool), classes=labels, class_names=names))
    assert not problems
    assert sorted(np.concatenate(list(division.sets.values())).tolist()) == list(range(rows))
    if stratify:
        assert abs(len(division.sets["test"]) - 0.2 * rows) <= 0.5
        assert abs(len(division.sets["dev"]) - 0.2 * rows) <= 0.5 or rows == 1


@pytest.mark.parametrize("seed", range(5))
def test_that_sets_are_alike_in_all_labels_and_exactly_so_in_the_rarest(seed: int) -> None:
    chance = np.random.default_rng(seed)
    shares = np.array([0.5, 0.3, 0.2, 0.1, 0.02])
    labels = (chance.random((1000, 5)) < shares).astype(np.float32)
    found = Examples(np.ones(1000, bool), classes=labels, class_names=tuple("abcde"))
    division, _ = divide(Split(train=0.6, dev=0.2, test=0.2, seed=seed), found)
    for name, share in (("train", 0.6), ("dev", 0.2), ("test", 0.2)):
        off = abs(labels[division.sets[name]].sum(axis=0) - share * labels.sum(axis=0))
        assert off[4] <= 1.5
        # By chance alone the first would be 8 examples off on average.
        assert off.max() <= 8


def test_that_groups_stay_whole_and_bring_labels_evenly() -> None:
    chance = np.random.default_rng(3)
    labels = (chance.random((600, 3)) < [0.5, 0.3, 0.05]).astype(np.float32)
    groups = np.repeat(np.arange(120), 5)
    texts_ = tuple(f"p{number}" for number in range(120))
    found = Examples(np.ones(600, bool), None, labels, ("a", "b", "c"), groups, "patient", texts_)
    division, _ = divide(Split(train=0.6, dev=0.2, test=0.2), found)
    used = [set(groups[rows].tolist()) for rows in division.sets.values()]
    assert sum(map(len, used)) == len(set.union(*used)) == 120
    for name, share in (("train", 0.6), ("dev", 0.2), ("test", 0.2)):
        assert np.allclose(labels[division.sets[name]].sum(axis=0), share * labels.sum(axis=0), atol=8)


def test_that_labels_that_a_set_lacks_are_told() -> None:
    labels = np.zeros((50, 2), np.float32)
    labels[:25, 0] = labels[0, 1] = 1
    division, _ = divide(None, Examples(np.ones(50, bool), classes=labels, class_names=("a", "b")))
    told = " ".join(division.notices)
    assert told.count("has no example of 'b'") == 2
    assert "without" not in told


def test_that_labels_that_all_examples_have_are_told() -> None:
    labels = np.ones((50, 2), np.float32)
    labels[::2, 1], labels[::3, 0] = 0, np.nan
    division, _ = divide(None, Examples(np.ones(50, bool), classes=labels, class_names=("a", "b")))
    assert "The training set has no example without 'a': it cannot be learned." in division.notices
    assert sum("without 'a'" in one for one in division.notices) == 3
    assert not any("'b'" in one for one in division.notices)


def test_that_a_profile_counts_each_label(tmp_path: Path) -> None:
    dataset = table_of(tmp_path, unknown=0.1)
    profile = profile_of(dataset.content, dataset)
    assert profile.class_counts == tuple(np.nansum(dataset.targets, axis=0).astype(int).tolist())
    assert [column.role for column in profile.columns] == ["feature", "feature", "target", "target", "target"]
    for part in profile.sets:
        assert part.by_class == tuple(np.nansum(dataset.targets[dataset.sets[part.name]], axis=0).astype(int).tolist())


def test_that_spaces_around_listed_labels_do_not_count() -> None:
    found = labels_of_texts(texts("y", [" a ;b", "b|a", "a;;"]), ("a", "b"))
    assert found.tolist() == [[1, 1], [1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("stratify", "grouped", "said"),
    [
        (True, False, "The sets are alike in 3 labels, most exactly in the rarest."),
        (False, False, "Labels fall as chance has it."),
        (True, True, "Labels are spread as evenly as whole groups allow."),
    ],
)
def test_that_the_reason_of_a_split_says_how_alike_sets_are_in_labels(stratify: bool, grouped: bool, said: str) -> None:
    _, labels = labeled_table(60)
    groups = (np.arange(60) // 2, "patient", tuple(map(str, range(30)))) if grouped else (None, "", ())
    split = Split(train=0.6, dev=0.2, test=0.2, stratify=stratify)
    division, _ = divide(split, Examples(np.ones(60, bool), None, labels, NAMES, *groups))
    assert division.reason == f"60/20/20: as the recipe says. {said}"

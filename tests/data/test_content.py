"""Columns, and how the contents of several sources become one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data_rig import numbers, texts, values

from workbench.data.content import Content, as_category, as_number, concatenate, listed, number_text, sorted_names
from workbench.data.fingerprint import fingerprint_of
from workbench.errors import InputError

CELLS = st.lists(st.none() | st.sampled_from(["a", "b", "ca", "10", "9"]), min_size=1, max_size=6)
FIGURES = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=6)


@given(CELLS, CELLS)
def test_that_categories_of_several_sources_are_joined(first: Any, second: Any) -> None:
    parts = [Content((texts("c", cells),)) for cells in (first, second)]
    # A source that has no value at all in a column says nothing about its type.
    content = concatenate(parts, ["one", "two"])
    assert values(content, "c") == first + second
    joined = content.columns[0].categories
    assert joined == sorted_names({cell for cell in first + second if cell is not None})


@given(FIGURES, CELLS)
def test_that_a_column_becomes_a_category_and_back(figures: Any, cells: Any) -> None:
    column = numbers("n", figures)
    back, bad = as_number(as_category(column))
    assert not bad.any()
    np.testing.assert_array_equal(back.values, column.values)
    read, bad = as_number(texts("c", cells))
    assert [cell in ("a", "b", "ca") for cell in cells] == bad.tolist()
    assert read.missing.tolist() == [cell is None or cell in ("a", "b", "ca") for cell in cells]


def test_that_a_column_that_is_empty_in_one_source_takes_the_other_s_type() -> None:
    parts = [Content((numbers("c", [None, None]),)), Content((texts("c", ["x"]),))]
    assert values(concatenate(parts, ["one", "two"]), "c") == [None, None, "x"]


def test_that_columns_are_matched_by_name_and_notes_are_told_once() -> None:
    first = Content((numbers("a", [1]), numbers("b", [2])), notes=("separator ,", "utf-16"))
    second = Content((numbers("b", [4]), numbers("a", [3])), notes=("separator ,",), sets=np.array([2], np.int8))
    content = concatenate([first, second], ["one", "two"])
    assert (values(content, "a"), values(content, "b")) == ([1, 3], [2, 4])
    assert content.notes == ("separator ,", "utf-16")
    assert content.sets is not None
    assert content.sets.tolist() == [-1, 2]


def test_that_every_way_in_which_sources_do_not_fit_is_named() -> None:
    pictures = np.zeros((1, 3, 4, 1), np.uint8)
    parts = [
        Content((numbers("a", [1]), texts("b", ["x"])), pictures),
        Content((numbers("a", [1]), numbers("b", [2])), pictures[:, :, 1:]),
        Content((texts("c", ["y"]),)),
    ]
    with pytest.raises(InputError) as caught:
        concatenate(parts, ["one", "two", "three"])
    message = str(caught.value)
    assert "two: holds pictures of 3 × 3 × 1, but one holds pictures of 3 × 4 × 1" in message
    assert "three: holds a table, but one holds pictures" in message
    assert "two: lacks the column 'c' that three has" in message
    assert "three: lacks the columns 'a', 'b' that one has" in message
    assert "column 'b' holds numbers in two and texts in one" in message


def test_that_columns_that_are_excluded_may_be_missing_somewhere() -> None:
    parts = [Content((numbers("a", [1]), texts("note", ["x"]))), Content((numbers("a", [2]),))]
    content = concatenate(parts, ["one", "two"], optional={"note"})
    assert values(content, "note") == ["x", None]


def test_that_pictures_of_several_sources_are_joined() -> None:
    parts = [Content((), np.full((2, 1, 1, 1), value, np.uint8)) for value in (5, 9)]
    pictures = concatenate(parts, ["one", "two"]).pictures
    assert pictures is not None
    assert pictures.ravel().tolist() == [5, 5, 9, 9]


@pytest.mark.parametrize(("value", "text"), [(3.0, "3"), (-2.0, "-2"), (0.5, "0.5"), (1e20, "1e+20"), (-0.0, "0")])
def test_that_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert number_text(value) == text


def test_that_names_are_in_order_by_value_or_alphabet() -> None:
    assert sorted_names(["10", "9", "-1", "1e1"]) == ("-1", "9", "10", "1e1")
    assert sorted_names(["10", "9", "nan"]) == ("10", "9", "nan")
    assert sorted_names(["b", "A", "a"]) == ("A", "a", "b")


def test_that_long_lists_are_cut() -> None:
    assert listed([1, 2, 3], 3) == "1, 2, 3"
    assert listed(range(1500), 2) == "0, 1 and 1,498 more"


def test_that_a_fingerprint_knows_content_only() -> None:
    base = Content((numbers("a", [1, None, 0.0]), texts("b", ["x", "y", None])))
    same = Content((numbers("a", [1, None, -0.0]), texts("b", ["x", "y", None])), notes=("read otherwise",))
    assert fingerprint_of(base) == fingerprint_of(same)
    others = [
        Content((numbers("a", [1, None, 2]), base.columns[1])),
        Content((numbers("A", [1, None, 0]), base.columns[1])),
        Content((base.columns[0], texts("b", ["x", "z", None]))),
        Content(base.columns, sets=np.array([0, 0, 2], np.int8)),
        Content(base.columns, np.zeros((3, 1, 2, 1), np.uint8)),
        Content(base.columns, np.zeros((3, 2, 1, 1), np.uint8)),
        Content(base.columns[::-1]),
    ]
    assert len({fingerprint_of(content) for content in (base, *others)}) == 1 + len(others)


def test_that_a_fingerprint_is_the_same_for_mapped_and_strided_arrays() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (70_000, 2, 2, 1), np.uint8)
    strided = np.asfortranarray(pictures)
    assert fingerprint_of(Content((), pictures)) == fingerprint_of(Content((), strided))

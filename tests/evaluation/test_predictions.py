"""PREDICTIONS.csv: what is read, what is refused, and that writing and reading undo each other."""

from __future__ import annotations

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.evaluation.predictions import Predictions
from workbench.evaluation.predictions_file import (
    class_name,
    looks_like_regression,
    parse_predictions,
    read_predictions,
    write_predictions,
)


def _read(text, task="auto"):
    return parse_predictions(text, "p.csv", task)


def _problems(text, task="auto"):
    with pytest.raises(InputError) as caught:
        _read(text, task)
    return str(caught.value)


def _written(predictions):
    file = io.StringIO(newline="")
    write_predictions(predictions, file)
    return file.getvalue()


FULL = """y_true,y_pred,p_cat,p_dog,split,distribution,weight,id,ignored
cat,cat,0.9,0.1,train,shop,1,a,x
dog,cat,0.6,0.4,dev,phone,2.5,b,y
dog,dog,0.2,0.8,test,shop,1,c,z
"""


def test_that_all_columns_are_read():
    p = _read(FULL)
    assert p.classes == ("cat", "dog")
    assert p.y_true.tolist() == [0, 1, 1]
    assert p.y_pred.tolist() == [0, 0, 1]
    np.testing.assert_allclose(p.probabilities, [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert p.splits() == ("train", "dev", "test")
    assert p.distributions() == ("phone", "shop")
    assert p.weight.tolist() == [1, 2.5, 1]
    assert p.id.tolist() == ["a", "b", "c"]
    assert p.of_split("dev").wrong.tolist() == [True]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_that_other_separators_a_mark_and_windows_line_ends_are_read(tmp_path, separator):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace(",", separator).replace("\n", "\r\n").encode())
    assert read_predictions(path).y_pred.tolist() == [0, 0, 1]


def test_that_a_packed_file_is_read(tmp_path):
    path = tmp_path / "p.csv.gz"
    path.write_bytes(gzip.compress(FULL.encode()))
    assert read_predictions(path).n == 3


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\x00\x01\x02\x03", b"PK\x03\x04 zip"])
def test_that_a_file_without_a_table_is_one_clear_error(tmp_path, content):
    path = tmp_path / "p.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"p\.csv"):
        read_predictions(path)


def test_that_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        read_predictions(tmp_path / "none.csv")


def test_that_all_mistakes_are_named_at_once_with_their_lines():
    text = "y_true,y_pred,p_a,p_b,split,weight\na,a,1.5,0.1,train,1\na,b,0.5,0.5,holdout,-1\na,b,0.5\n,b,x,0.5,dev,1\n"
    message = _problems(text)
    for part in (
        "p_a is outside 0 to 1 (line 2)",
        "p_a is no finite number (line 5)",
        "split 'holdout' is not known (line 3)",
        "weight is below 0 (line 3)",
        "number of cells; the header has 6 (line 4)",
        "y_true is empty (line 5)",
    ):
        assert part in message


def test_that_missing_columns_are_named_together_with_the_other_mistakes():
    message = _problems("truth,split\na,trian\n")
    assert "no column y_true and no column y_pred" in message
    assert "it has truth, split" in message
    assert "split 'trian' is not known (line 2)" in message


def test_that_a_header_alone_is_refused():
    assert "no rows" in _problems("y_true,y_pred\n")


def test_that_two_columns_of_one_name_are_refused():
    assert "2 columns called 'y_pred'" in _problems("y_true,y_pred,y_pred\na,a,a\n")
    assert "two columns of probabilities" in _problems("y_true,y_pred,p_1,p_1.0\n1,1,.5,.5\n")


def test_that_many_bad_lines_are_counted_not_listed():
    message = _problems("y_true,y_pred,split\n" + "a,a,nowhere\n" * 5000)
    assert "(lines 2, 3, 4, 5, 6 and 4,995 more)" in message
    assert len(message) < 200


def test_that_probabilities_must_add_up():
    assert "do not add up to 1" in _problems("y_true,y_pred,p_a,p_b\na,a,0.9,0.9\n")


def test_that_rounded_probabilities_are_brought_to_a_sum_of_1():
    p = _read("y_true,y_pred,p_a,p_b,p_c\na,a,0.33,0.33,0.33\n")
    np.testing.assert_allclose(p.probabilities, [[1 / 3] * 3])


def test_that_one_probability_is_enough_for_two_classes():
    p = _read("y_true,y_pred,p_yes\nno,yes,0.7\nyes,yes,0.9\n")
    assert p.classes == ("yes", "no")
    np.testing.assert_allclose(p.probabilities, [[0.7, 0.3], [0.9, 0.1]])


def test_that_a_class_the_model_does_not_know_has_no_probabilities():
    p = _read("y_true,y_pred,p_a,p_b\nnew,a,0.7,0.3\n")
    assert p.classes == ("a", "b", "new")
    assert np.isnan(p.probabilities[0, 2])


def test_that_1_and_1_0_are_one_class():
    p = _read("y_true,y_pred,p_0,p_1\n1,1.0,0.2,0.8\n0.0,1,0.4,0.6\n")
    assert p.classes == ("0", "1")
    assert p.wrong.tolist() == [False, True]


@pytest.mark.parametrize(
    ("cell", "name"),
    [("1.0", "1"), ("1", "1"), ("007", "007"), ("2.50", "2.5"), ("-3.0", "-3"), ("1e5", "1e5"), ("v1.0", "v1.0")],
)
def test_that_names_stay_as_they_are_unless_they_are_decimals(cell, name):
    assert class_name(cell) == name


def test_that_numbered_classes_are_sorted_by_number():
    assert _read("y_true,y_pred\n10,9\n2,10\n").classes == ("2", "9", "10")


def test_that_decimals_are_a_regression_and_classes_are_not():
    assert _read("y_true,y_pred\n1.5,1.2\n3,2.9\n").task == "regression"
    assert _read("y_true,y_pred\n0.0,1.0\n1.0,1.0\n").task == "classification"
    assert _read("y_true,y_pred\n1.5,1.2\n", "classification").classes == ("1.2", "1.5")


def test_that_probabilities_in_the_place_of_classes_are_not_taken_for_a_regression():
    text = "y_true,y_pred\n0,0.2\n1,0.7\n"
    assert "fractions where y_true holds only 0 and 1. Put the predicted class there" in _problems(text)
    assert _read(text, "regression").task == "regression"


def test_that_many_whole_numbers_are_a_regression_unless_predictions_hit_them():
    ages = [str(value) for value in range(100)]
    assert looks_like_regression(ages, [str(int(age) + 3) for age in ages])
    assert not looks_like_regression(ages, ages)
    assert not looks_like_regression(["a", *ages], ["b", *ages])


def test_that_a_regression_with_text_is_refused():
    assert "y_pred is no finite number (line 3)" in _problems("y_true,y_pred\n1.5,1\n2,high\n", "regression")


def test_that_validation_is_another_word_for_dev():
    assert _read("y_true,y_pred,split\na,a,Validation\na,a,VAL\n").splits() == ("dev",)


def test_that_too_many_classes_are_refused():
    text = "y_true,y_pred\n" + "".join(f"n{i},n{i}\n" for i in range(2001))
    assert "2,001 classes" in _problems(text)


def test_that_an_endless_quote_is_refused():
    assert "quote" in _problems('y_true,y_pred\n"a,' + "x" * 200_000)


def test_that_formulas_are_written_as_text_and_numbers_as_numbers():
    p = Predictions.of([0, 1], [1, 0], ["=1+1", "-5"], id=["@x", "+49 171"], distribution=["\tx", "'=y"])
    rows = list(csv.reader(io.StringIO(_written(p))))
    assert rows[1] == ["'=1+1", "-5", "'\tx", "'@x"]
    assert rows[2] == ["-5", "'=1+1", "''=y", "'+49 171"]


names = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), min_size=1, max_size=8).filter(
    lambda text: text == text.strip(" ") and text.strip() and class_name(text) == text
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_that_reading_gives_back_what_was_written(data):
    classes = data.draw(st.lists(names, min_size=2, max_size=4, unique=True))
    n, k = data.draw(st.integers(1, 6)), len(classes)
    rows = st.lists(st.integers(0, k - 1), min_size=n, max_size=n)
    texts = st.lists(names, min_size=n, max_size=n)
    raw = np.random.default_rng(data.draw(st.integers(0, 99))).uniform(0.01, 1, (n, k))
    p = Predictions.of(
        data.draw(rows),
        data.draw(rows),
        classes,
        probabilities=raw / raw.sum(axis=1, keepdims=True),
        split=data.draw(st.lists(st.sampled_from(["", "train", "dev", "test"]), min_size=n, max_size=n)),
        distribution=data.draw(texts),
        weight=np.arange(1.0, n + 1),
        id=data.draw(texts),
    )
    back = _read(_written(p), "classification")
    assert back.classes == p.classes
    for name in ("y_true", "y_pred", "weight", "id", "split", "distribution"):
        assert getattr(back, name).tolist() == getattr(p, name).tolist(), name
    np.testing.assert_allclose(back.probabilities, p.probabilities, rtol=1e-12)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=20))
def test_that_numbers_come_back_to_the_last_bit(pairs):
    y_true, y_pred = zip(*pairs, strict=True)
    back = _read(_written(Predictions.of(y_true, y_pred)), "regression")
    assert back.y_true.tolist() == list(y_true)
    assert back.y_pred.tolist() == list(y_pred)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="y_truepd,;\t\n\"'.0123456789-=", max_size=200), st.sampled_from(["", "y_true,y_pred,p_1\n"]))
def test_that_any_text_gives_predictions_or_a_clear_error(text, start):
    message, examples = "", 0
    try:
        examples = _read(start + text).n
    except InputError as error:
        message = str(error)
    assert examples > 0 or "p.csv" in message


def test_that_unknown_truth_is_an_empty_cell():
    p = Predictions.of([0, -1], [1, 1], ["a", "b"])
    assert _written(p).splitlines()[2].startswith(",b")
    assert p.labeled().n == 1
    values = Predictions.of([np.nan, 2.0], [1.0, 2.0])
    assert _written(values).splitlines()[1].startswith(",1.0")


def test_that_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        Predictions.of([0, 1], [0], ["a"])
    with pytest.raises(ValueError, match="column for each class"):
        Predictions.of([0], [0], ["a", "b"], probabilities=np.ones((1, 3)))


def test_that_columns_can_be_left_out_and_numbers_of_a_network_be_short():
    probabilities = np.array([[0.9, 0.1], [0.25, 0.75]], dtype=np.float32)
    file = io.StringIO(newline="")
    p = Predictions.of([-1, 1], [0, 1], ["a", "=b"], probabilities=probabilities)
    write_predictions(p, file, without={"id", "y_true"}, short=True)
    assert file.getvalue() == "y_pred,p_a,p_=b\na,0.9,0.1\n'=b,0.25,0.75\n"
    file = io.StringIO(newline="")
    numbers = Predictions.of([np.nan], np.array([23.456], dtype=np.float32))
    write_predictions(numbers, file, without={"id", "y_true"}, short=True)
    assert file.getvalue() == "y_pred\n23.456\n"

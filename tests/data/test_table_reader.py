"""Text tables: what is found out about them, what they hold, and the words where they are wrong."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data_rig import read, table, values

from workbench.data.readers.base import Hints
from workbench.data.readers.table import read_table
from workbench.data.tables.rows import count_cells, records
from workbench.errors import InputError
from workbench.recipe.data import Source

PLAIN = "a,b,c\n1,2.5,x\n3,,y\n-4,1e3,x\n"


def test_that_a_plain_table_is_read() -> None:
    content = table(PLAIN)
    assert content.names == ("a", "b", "c")
    assert values(content, "a") == [1, 3, -4]
    assert values(content, "b") == [2.5, None, 1000]
    assert values(content, "c") == ["x", "y", "x"]
    assert [column.type for column in content.columns] == ["number", "number", "category"]


@pytest.mark.parametrize(("separator", "note"), [(",", ","), (";", ";"), ("\t", "tab"), ("|", "|"), (" ", "spaces")])
def test_that_the_separator_is_found_out(separator: str, note: str) -> None:
    content = table(PLAIN.replace("3,,y", "3,0,y").replace(",", separator))
    assert values(content, "c") == ["x", "y", "x"]
    assert f"separator {note}" in content.notes


def test_that_runs_of_spaces_separate_as_one() -> None:
    content = table("a    b\n1  2\n  3    4\n")
    assert (values(content, "a"), values(content, "b")) == ([1, 3], [2, 4])


def test_that_a_separator_that_is_given_goes_before_what_looks_likelier() -> None:
    content = table("a,b;c\n1,2;3\n", separator=",", types={"b;c": "category"})
    assert content.names == ("a", "b;c")
    with pytest.raises(InputError, match="'ab' cannot separate columns"):
        table(PLAIN, separator="ab")


def test_that_a_decimal_comma_is_found_out() -> None:
    content = table("a;b\n1,5;2\n-0,25;3\n")
    assert values(content, "a") == [1.5, -0.25]
    assert "decimal comma" in content.notes


def test_that_texts_with_commas_do_not_make_a_decimal_comma() -> None:
    content = table("a;b\n1.5;x, y\n2.5;z\n")
    assert values(content, "a") == [1.5, 2.5]


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None), ("utf-8-sig", "utf-8 with a mark"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("cp1252", "cp1252"),
    ],
)  # fmt: skip
def test_that_the_encoding_is_found_out(encoding: str, note: str | None) -> None:
    content = table("größe,stadt\n1,Köln\n2,Übach\n3,€uro\n".encode(encoding))
    assert values(content, "stadt") == ["Köln", "Übach", "€uro"]
    assert content.names == ("größe", "stadt")
    assert note is None or note in content.notes


def test_that_encodings_are_told_across_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for piece in (1, 2, 3, 5):
        monkeypatch.setattr("workbench.data.tables.encoding._PIECE", piece)
        assert values(table("a,b\n1,Köln€\n".encode()), "b") == ["Köln€"]
        assert values(table("a,b\n1,Köln€\n".encode("cp1252")), "b") == ["Köln€"]


def test_that_bytes_of_no_other_encoding_are_latin_1() -> None:
    content = table(b"a,b\n1,\x81\xe9\n")
    assert values(content, "b") == ["\x81é"]


def test_that_an_encoding_that_is_given_is_used_or_refused_with_the_line() -> None:
    assert values(table("a,b\n1,Жук\n".encode("cp1251"), encoding="cp1251"), "b") == ["Жук"]
    with pytest.raises(InputError, match=r"is no utf-8 text: byte 0xe9 in line 3"):
        table(b"a,b\n1,x\n2,\xe9\n", encoding="utf-8")
    with pytest.raises(InputError, match="'klingon' is no text encoding"):
        table(PLAIN, encoding="klingon")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_that_any_line_end_will_do_and_blank_lines_are_no_rows(end: str) -> None:
    content = table(PLAIN.replace("\n", end).replace(f"{end}3", f"{end}{end}3") + end)
    assert values(content, "a") == [1, 3, -4]


def test_that_a_table_without_a_header_gets_column_names() -> None:
    content = table("5.1,3.5,setosa\n4.9,3.0,setosa\n6.2,2.9,virginica\n")
    assert content.names == ("column_1", "column_2", "column_3")
    assert content.rows == 3
    assert any("no header" in note for note in content.notes)


@pytest.mark.parametrize(
    "text",
    [
        "label,0,1\na,3,4\nb,5,6\n",
        "2019,2020,class\n1.5,2,3\n4,5,6\n",
        "color,shape\nred,round\nblue,flat\n",
        "x\n1\n2\n",
    ],
)
def test_that_a_header_is_told_from_data(text: str) -> None:
    assert table(text).rows == 2 or text.startswith("label")


def test_that_names_that_are_empty_or_stand_twice_are_made_unique() -> None:
    content = table("a,a,,b,a\n1,2,3,4,5\n")
    assert content.names == ("a", "a_2", "column_3", "b", "a_3")
    assert any("twice" in note for note in content.notes)
    assert any("without a name" in note for note in content.notes)


@pytest.mark.parametrize("mark", ["", "NA", "NaN", "?", "null", "N/A", " ? "])
def test_that_missing_markers_are_missing_in_numbers_and_texts(mark: str) -> None:
    content = table(f"a,b\n1,x\n{mark},{mark}\n3,y\n")
    assert values(content, "a") == [1, None, 3]
    assert values(content, "b") == ["x", None, "y"]


def test_that_words_like_true_keep_their_spelling() -> None:
    assert values(table("a,b\n1,TRUE\n2,false\n3,\n"), "b") == ["TRUE", "false", None]


def test_that_iso_dates_become_days() -> None:
    content = table("day,at\n1970-01-02,2020-01-01T12:00:00Z\n6020-01-19,\n,2020-01-02 00:00\n")
    assert values(content, "day") == [1.0, (date(6020, 1, 19) - date(1970, 1, 1)).days, None]
    at = values(content, "at")
    assert at[2] - at[0] == 0.5
    assert any("days since" in note for note in content.notes)


def test_that_impossible_dates_stay_texts() -> None:
    assert values(table("a,b\n1,2021-02-30\n2,2021-01-01\n"), "b") == ["2021-02-30", "2021-01-01"]


def test_that_a_declared_category_keeps_its_spelling() -> None:
    content = table("zip,b\n00123,1\n00045,2\n", types={"zip": "category"})
    assert values(content, "zip") == ["00123", "00045"]


def test_that_categories_are_in_order_by_value_or_alphabet() -> None:
    content = table("a,b\n10,z\n9,b\n100,a\n", types={"a": "category"})
    assert [column.categories for column in content.columns] == [("9", "10", "100"), ("a", "b", "z")]


def test_that_text_in_a_column_of_numbers_is_named_with_rows_and_lines() -> None:
    with pytest.raises(InputError) as caught:
        table('note,age\n"two\nlines",31\nx,old\ny,33\nz,n. a.\n' + "w,1\n" * 5)
    message = str(caught.value)
    assert "column 'age' is a column of numbers, but 2 cells hold text" in message
    assert "row 2 (line 4) 'old'" in message
    assert "row 4 (line 6) 'n. a.'" in message
    assert 'data.columns = { "age" = "category" }' in message


def test_that_all_columns_that_are_wrong_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        table("a,b,c\n1,x,1\ny,2,2\n3,3,inf\n4,4,4\n")
    assert len(caught.value.problems) == 3
    assert "'c' holds infinite or far too large numbers in row 3" in str(caught.value)


def test_that_what_is_wrong_in_columns_that_are_not_used_is_no_error() -> None:
    data = b"a,b\n1,1\nx,2\n3,inf\n"
    content = read_table(data, Source(path="t"), Hints(ignored=frozenset("ab")), lambda *told: None)
    assert values(content, "a") == ["1", "x", "3"]


def test_that_a_column_declared_as_numbers_must_hold_numbers() -> None:
    with pytest.raises(
        InputError, match=r"'b' is declared a column of numbers, but 3 cells hold text.*remove the declar"
    ):
        table("a,b\n1,x\n2,y\n3,z\n", types={"b": "number"})


def test_that_mostly_texts_with_some_numbers_are_categories_with_a_note() -> None:
    content = table("a,b\n1,x\n2,5\n3,y\n4,z\n")
    assert values(content, "b") == ["x", "5", "y", "z"]
    assert any("numbers and texts" in note for note in content.notes)


def test_that_ragged_rows_are_named_by_line_with_their_number_of_cells() -> None:
    with pytest.raises(InputError, match=r"2 are expected: line 3 has 3, line 6 has 1\."):
        table("a,b\n1,2\n1,2,3\n\n3,4\n5\n")


def test_that_cells_with_separators_and_line_ends_in_quotes_are_not_ragged() -> None:
    content = table('a,b\n1,"x, ""y""\nz"\n2,"q"\n')
    assert values(content, "b") == ['x, "y"\nz', "q"]


def test_that_quotes_in_the_middle_of_cells_are_plain_characters() -> None:
    content = table('size,b\n5" pipe,1\n7 pipe,2\n8 pipe,3\n')
    assert values(content, "size") == ['5" pipe', "7 pipe", "8 pipe"]
    assert table('a 5" b,c\nx,1\ny,2\n').names == ('a 5" b', "c")


def test_that_ragged_rows_are_found_behind_a_quote_in_the_middle_of_a_cell() -> None:
    with pytest.raises(InputError, match=r"3 are expected: line 2 has 4, line 4 has 2\."):
        table('a,b,c\n0,0.0,,x0"\n1,2,3\n4,5\n')
    with pytest.raises(InputError, match=r"2 are expected: line 2 has 3\."):
        table('a b\n0 0"1 1\n2 0\n3 1\n')


def test_that_a_quote_that_is_never_closed_is_said() -> None:
    with pytest.raises(InputError, match=r"double quote in row 1 is never closed|differ in their number of cells"):
        table('a,b\n1,"x\n2,y\n')


def test_that_row_names_without_a_header_cell_are_a_column() -> None:
    content = table('"a" "b"\n"r1" 1 2\n"r2" 3 4\n')
    assert content.names == ("row", "a", "b")
    assert values(content, "row") == ["r1", "r2"]


def test_that_a_separator_at_each_row_end_is_an_empty_column() -> None:
    content = table("a,b\n1,2,\n3,4,\n")
    assert values(content, "b") == [2, 4]
    assert any("ends with a separator" in note for note in content.notes)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"a,b\n", "has a header but no rows"),
        (b"a,b\n\n\n", "has a header but no rows"),
        (b"\x00\x01\x02a,b", "zero bytes"),
    ],
)
def test_that_files_without_data_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        table(data)
    assert str(caught.value).startswith("t.csv: ")


def test_that_a_packed_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert values(read(path), "a") == [1, 3, -4]


def test_that_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    data = ("a,b\n" + "1,2\n" * 100_000).encode()
    read_table(data, Source(path=str(tmp_path / "t.csv")), Hints(), lambda *step: told.append(step))
    done = [step[1] for step in told]
    assert len(told) > 1
    assert done == sorted(done)
    assert done[-1] == told[-1][2] == len(data) - 4


CELL_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs", "Cc"]), max_size=8
)
NUMBER = st.floats(-1e30, 1e30, allow_nan=False).map(lambda value: float(f"{value:.12g}"))


@given(st.data(), st.integers(1, 12), st.sampled_from(",;|\t"))
def test_that_written_tables_come_back(data: Any, rows: int, separator: str) -> None:
    cells = data.draw(st.lists(CELL_TEXT.map(lambda text: f"t{text}".strip()), min_size=rows, max_size=rows))
    figures = data.draw(st.lists(st.none() | NUMBER, min_size=rows, max_size=rows))
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    writer.writerow(["figure", "text"])
    writer.writerows(zip(["" if f is None else repr(f) for f in figures], cells, strict=True))
    content = table(file.getvalue(), separator=separator, decimal=".", encoding="utf-8")
    column = content.column("figure")
    assert column is not None
    np.testing.assert_allclose(column.values, np.array(figures, float), rtol=1e-14)
    assert values(content, "text") == cells


@given(
    st.lists(st.tuples(NUMBER, NUMBER, st.sampled_from(["red", "green", "dark blue"])), min_size=2, max_size=20),
    st.sampled_from(",;|\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_that_tables_as_pandas_writes_them_come_back(rows: list[Any], separator: str, encoding: str) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    content = table(frame.to_csv(index=False, sep=separator).encode(encoding))
    for name in ("a", "b"):
        np.testing.assert_allclose(values(content, name), frame[name], rtol=1e-12)
    assert values(content, "c") == list(frame["c"])


RAGGED = st.lists(
    st.lists(st.text("ab ;\n\"'", max_size=3).map(lambda text: text.strip()), min_size=1, max_size=4),
    min_size=1,
    max_size=8,
)


@given(st.text('ab,"\n', max_size=30))
def test_that_cells_are_counted_right_however_quotes_stand(text: str) -> None:
    counted = [width for width in count_cells(text.encode(), ",").tolist() if width > 1]
    assert counted == [len(cells) for _, cells in records(text.encode(), ",") if len(cells) > 1]


@given(st.text('ab,"\n ', max_size=25))
def test_that_whatever_is_accepted_is_read_cell_by_cell_as_the_csv_module_reads_it(text: str) -> None:
    data = f"first,second\n{text}".encode()
    try:
        content = table(
            data, types=dict.fromkeys(("row", "first", "second"), "category"), separator=",", encoding="utf-8"
        )
    except InputError:
        return
    rows = [cells for _, cells in records(data, ",")][1:]
    # Where each row has a cell more than the header, the first is the row's name, or the last is empty.
    header = ("row", "first", "second") if content.names[0] == "row" else ("first", "second")
    for place, name in enumerate(header):
        assert values(content, name) == [row[place].strip() or None for row in rows]


@given(RAGGED)
def test_that_cells_are_counted_as_the_csv_module_counts_them(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=",", lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = file.getvalue().encode()
    # A lone empty cell is no blank line: it is written as two quotes.
    assert count_cells(data, ",").tolist() == [len(row) for row in rows]
    exact = [len(cells) for _, cells in records(data, ",")]
    assert exact == [len(row) for row in rows]


def test_that_counting_does_not_depend_on_where_a_piece_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    data = ('a,"b,\n",c\n' + "1,2,3\n" * 5 + '"x""y","","z\n\n"\n').encode()
    whole = count_cells(data, ",").tolist()
    spaced = count_cells(data.replace(b",", b"  "), " ").tolist()
    for size in (1, 2, 3, 7):
        monkeypatch.setattr("workbench.data.tables.rows._PIECE", size)
        assert count_cells(data, ",").tolist() == whole == [3] * 7
        assert count_cells(data.replace(b",", b"  "), " ").tolist() == spaced

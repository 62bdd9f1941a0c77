"""Convolution and pooling: what fits, and the sizes that come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import Case

from workbench.engine.layer import ShapeError

small = st.integers(1, 5)
pairs = st.tuples(small, small)


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "text"),
    [
        ("conv2d", {"kernel": 5, "padding": "valid"}, (3, 3, 1), "kernel 5×5 does not fit 3×3"),
        ("conv2d", {"kernel": [1, 9], "padding": 1}, (3, 6, 1), "kernel 1×9 does not fit 3×6"),
        ("max_pool2d", {"window": 4}, (3, 8, 1), "window 4×4 does not fit 3×8"),
        ("average_pool2d", {}, (1, 8, 1), "window 2×2 does not fit 1×8"),
        ("conv2d", {}, (30,), "reads a picture (height × width × channels), not 30"),
        ("max_pool2d", {}, (30, 4), "reads a picture (height × width × channels), not 30 × 4"),
        ("global_average_pool2d", {}, (7,), "reads a picture (height × width × channels), not 7"),
        ("global_max_pool2d", {}, (7,), "reads a picture (height × width × channels), not 7"),
        ("global_max_pool1d", {}, (7, 6, 2), "reads a sequence (steps × features), not 7 × 6 × 2"),
    ],
)
def test_that_a_window_that_does_not_fit_says_so_in_its_own_fields(kind, fields, shape, text) -> None:
    with pytest.raises(ShapeError) as caught:
        Case(fields, (shape,)).layer(kind).output_shape([shape])
    assert str(caught.value) == text


@given(size=pairs, kernel=pairs, stride=pairs)
def test_that_same_padding_gives_the_size_divided_by_the_stride_rounded_up(size, kernel, stride) -> None:
    layer = Case({"kernel": kernel, "stride": stride, "padding": "same", "filters": 1}, ()).layer("conv2d")
    assert layer.output_shape([(*size, 1)]) == (-(-size[0] // stride[0]), -(-size[1] // stride[1]), 1)


@pytest.mark.parametrize(("field", "value"), [("kernel", 0), ("kernel", 2000), ("padding", -1), ("stride", [1, 0])])
def test_that_sizes_out_of_range_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Case({field: value}, ()).layer("conv2d")

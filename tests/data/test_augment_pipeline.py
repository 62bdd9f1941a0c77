"""Lists of augmentations: an example's change depends on seed, epoch and example only; every kind keeps the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.augment.base import Augmentation, Draw, Span, ValueChange
from workbench.data.augment.pipeline import Augmenter, preview, problems, range_of
from workbench.engine.backend import Backend
from workbench.errors import RecipeError
from workbench.recipe.data import DataRecipe
from workbench.recipe.fields import facts
from workbench.recipe.kinds import AugmentSpec

Array = np.ndarray[Any, Any]
SHAPE = (11, 9, 2)
KINDS = sorted(AugmentSpec.kinds())
LISTS = st.lists(st.sampled_from(KINDS), min_size=1, max_size=5)


class NarrowBackend(Backend):
    """NumPy that changes one example at a time."""

    piece_bytes = 1


def _specs(*given: Any) -> tuple[AugmentSpec, ...]:
    return DataRecipe.model_validate({"augment": list(given)}).augment


def _pictures(n: int = 12, dtype: Any = np.float32) -> Array:
    return np.random.default_rng(1).uniform(0, 255, (n, *SHAPE)).astype(dtype)


def _changed(specs: Any, pictures: Array, rows: Array, epoch: int = 0, seed: int = 0, backend: Any = None) -> Array:
    changed = pictures.copy()
    augmenter = Augmenter(
        specs, pictures.shape[1:], Span.of_range(0.0, 255.0), backend or Backend(), pictures.dtype, seed
    )
    augmenter.apply(changed, rows, epoch)
    return changed


def test_that_the_promised_kinds_exist() -> None:
    assert {"rotate", "scale", "shift", "flip", "crop", "noise", "blur"} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_kind_says_what_a_form_needs(kind: str) -> None:
    found = AugmentSpec.kinds()[kind]
    assert issubclass(found, Augmentation)
    assert found.about
    assert found.applies_to <= {"pictures", "sequences", "table"}
    for field in facts(found).values():
        assert field.help
        if field.annotation is float:
            assert field.low is not None
            assert field.high is not None
            assert field.unit


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_kind_survives_the_recipe_file(kind: str) -> None:
    recipe = DataRecipe.model_validate({"augment": [kind]})
    assert DataRecipe.model_validate(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_that_strength_zero_changes_nothing(kind: str, dtype: Any) -> None:
    numbers = [name for name, field in facts(AugmentSpec.kinds()[kind]).items() if field.annotation is float]
    assert numbers
    pictures = _pictures(dtype=dtype)
    weakest = _specs({"kind": kind, **dict.fromkeys(numbers, 0)})
    np.testing.assert_array_equal(_changed(weakest, pictures, np.arange(12)), pictures)


@pytest.mark.parametrize("kind", KINDS)
def test_that_the_default_strength_changes_pictures_anew_in_each_epoch(kind: str) -> None:
    pictures, rows = _pictures(), np.arange(12)
    first, again, second = (_changed(_specs(kind), pictures, rows, epoch) for epoch in (0, 0, 1))
    other = _changed(_specs(kind), pictures, rows, seed=1)
    np.testing.assert_array_equal(first, again)
    assert (first != pictures).any()
    assert (first != second).any()
    assert (first != other).any()


def test_that_the_same_kind_twice_in_a_list_draws_twice() -> None:
    pictures, rows = np.full((1, *SHAPE), 128, np.float32), np.array([4])
    once = _changed(_specs("noise"), pictures, rows) - pictures
    twice = _changed(_specs("noise", "noise"), pictures, rows) - pictures
    assert abs(np.corrcoef(once.ravel(), (twice - once).ravel())[0, 1]) < 0.3


@settings(max_examples=40, deadline=None)
@given(kinds=LISTS, seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 10_000), data=st.data())
def test_that_order_and_size_of_a_batch_change_nothing(kinds: list[str], seed: int, epoch: int, data: Any) -> None:
    pictures, rows = _pictures(), np.arange(12) * 7919
    specs = _specs(*kinds)
    whole = _changed(specs, pictures, rows, epoch, seed)
    some = np.array(data.draw(st.lists(st.integers(0, 11), min_size=1, max_size=12)))
    np.testing.assert_array_equal(_changed(specs, pictures[some], rows[some], epoch, seed), whole[some])
    np.testing.assert_array_equal(_changed(specs, pictures, rows, epoch, seed, NarrowBackend()), whole)


@settings(max_examples=40, deadline=None)
@given(
    kinds=LISTS,
    height=st.integers(5, 12),
    width=st.integers(5, 12),
    channels=st.integers(1, 4),
    seed=st.integers(0, 1000),
    bright=st.booleans(),
)
def test_that_shape_and_range_are_kept(
    kinds: list[str], height: int, width: int, channels: int, seed: int, bright: bool
) -> None:
    pictures = np.random.default_rng(seed).choice([0.0, 255.0], (3, height, width, channels)).astype(np.float32)
    changed = _changed(_specs(*kinds), pictures, np.arange(3), seed=seed)
    assert changed.shape == pictures.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    # Weights of 1 but for rounding.
    assert changed.max() <= 255 * (1 + 1e-6)


def test_that_a_kind_acts_where_it_stands_in_the_list() -> None:
    pictures, rows = _pictures(), np.arange(12)
    expected = _changed(_specs("noise"), pictures, rows, epoch=3)
    blur = _specs("blur")[0]
    assert isinstance(blur, ValueChange)
    blur.change(expected, Draw(0, 3, 1, rows), Span.of_range(0.0, 255.0), Backend())
    np.testing.assert_array_equal(_changed(_specs("noise", "blur"), pictures, rows, epoch=3), expected)


def test_that_all_that_does_not_fit_is_named_at_once() -> None:
    specs = _specs("noise", "rotate", {"kind": "blur"})
    assert [problem.where for problem in problems(specs, (5,))] == ["data.augment[1]", "data.augment[2]"]
    with pytest.raises(RecipeError, match=r"(?s)rotate changes pictures.*blur changes pictures"):
        Augmenter(specs, (5,), Span(-np.inf, np.inf, 1.0), Backend())
    assert problems(specs, SHAPE) == []


def test_that_a_crop_that_leaves_nothing_is_refused() -> None:
    assert problems(_specs({"kind": "crop", "pixels": 8}), SHAPE) == []
    with pytest.raises(RecipeError, match=r"data\.augment\[0\]: crop cuts up to 9 pixels off 11×9"):
        Augmenter(_specs({"kind": "crop", "pixels": 9}), SHAPE, Span.of_range(0, 255), Backend())


def test_that_a_preview_leaves_the_pictures_alone_and_stays_in_8_bits() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    before = pictures.copy()
    shown = preview(_specs("rotate", "noise"), pictures, np.arange(6), seed=1, epoch=0)
    np.testing.assert_array_equal(pictures, before)
    assert shown.dtype == np.float32
    assert shown.min() >= 0
    assert shown.max() <= 255
    assert (shown != pictures).any()
    np.testing.assert_array_equal(preview((), pictures, np.arange(6), seed=1, epoch=0), pictures)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 0.9, (0.0, 1.0)), (0.0, 200.0, (0.0, 255.0)), (-1.5, 2.5, (-1.5, 2.5)), (0.0, 4000.0, (0.0, 4000.0))],
)
def test_that_a_preview_maps_the_range_of_floats_to_8_bits(
    low: float, high: float, expected: tuple[float, float]
) -> None:
    pictures = np.linspace(low, high, 600 * 4).astype(np.float32).reshape(600, 2, 2, 1)
    assert range_of(pictures) == pytest.approx(expected)
    assert range_of(pictures[::-1], np.arange(600)) == pytest.approx(expected)
    shown = preview((), pictures, np.arange(600), seed=0, epoch=0)
    factor = 255 / (expected[1] - expected[0])
    np.testing.assert_allclose(shown, (pictures - expected[0]) * factor, rtol=1e-4, atol=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS)
def test_that_a_gpu_changes_pictures_as_numpy_does(kind: str) -> None:
    pytest.importorskip("cupy")
    from workbench.engine.device import open_backend

    backend = open_backend("cuda")
    pictures, rows = _pictures(), np.arange(12)
    expected = _changed(_specs(kind), pictures, rows)
    changed = backend.asarray(pictures)
    Augmenter(_specs(kind), SHAPE, Span.of_range(0.0, 255.0), backend).apply(changed, rows, 0)
    np.testing.assert_allclose(backend.to_host(changed), expected, atol=2e-3)

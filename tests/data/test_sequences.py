"""Sequences from arrays: told from pictures by their numbers and sizes, normalized by feature, given a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.data_rig import read
from support.small_runs import write_sequences

from workbench.data.cache import Cache
from workbench.data.content import Content
from workbench.data.dataset import load_dataset
from workbench.data.encoder import Encoder
from workbench.data.feeder import column_deviations
from workbench.data.profile import profile_of
from workbench.data.propose import Proposal, propose
from workbench.data.reading import read_one
from workbench.data.suggest import Size, network_for
from workbench.engine.network import build_network
from workbench.errors import InputError
from workbench.recipe.data import DataRecipe, Source
from workbench.recipe.network import NetworkRecipe

RNG = np.random.default_rng(2)
WAVES = RNG.normal(size=(9, 6, 4)).astype(np.float32)


def saved(folder: Path, name: str = "x", **arrays: Any) -> Path:
    path = folder / "d.npz"
    np.savez(path, **({name: arrays.pop("x")} if "x" in arrays else {}), **arrays)
    return path


@pytest.mark.parametrize(
    ("array", "name", "kind"),
    [
        (WAVES, "x", "sequences"),
        (WAVES.astype(np.float64), "X", "sequences"),
        (np.round(WAVES * 1000).astype(np.int16), "data", "sequences"),
        (WAVES, "images", "pictures"),
        (WAVES[:, :4], "x", "pictures"),
        (WAVES[:, :4], "signals", "sequences"),
        (RNG.integers(0, 256, (9, 6, 4), np.uint8), "x", "pictures"),
        (RNG.integers(0, 256, (9, 6, 4)).astype(np.float32), "x", "pictures"),
        (RNG.integers(0, 2, (9, 6, 4)).astype(bool), "x", "pictures"),
        (RNG.integers(0, 256, (9, 6, 4), np.uint8), "sequences", "sequences"),
        (WAVES[:, :, 0], "x", ""),
        (np.repeat(WAVES[..., None], 3, axis=3), "x", "pictures"),
    ],
)
def test_that_what_an_array_holds_goes_by_its_name_numbers_and_sizes(
    tmp_path: Path, array: Any, name: str, kind: str
) -> None:
    content = read(saved(tmp_path, name, x=array, y=np.arange(9) % 2))
    held = {"pictures": content.pictures, "sequences": content.sequences}
    assert [what for what, found in held.items() if found is not None] == ([kind] if kind else [])
    if kind == "sequences":
        assert content.sequences is not None
        assert content.sequences.dtype == np.float32
        np.testing.assert_array_equal(content.sequences, array.astype(np.float32))
        assert content.names == ("y",)


@pytest.mark.parametrize("shape", [(9, 6, 4), (9, 5, 5), (9, 7)])
def test_that_a_source_can_say_what_its_array_holds(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = saved(tmp_path, x=RNG.normal(size=shape), y=np.arange(9))
    sequences = read(path, examples="sequences").sequences
    assert sequences is not None
    assert sequences.shape == (*shape, 1)[:3]
    pictures = read(path, examples="pictures").pictures
    assert pictures is None if len(shape) == 2 else pictures is not None and pictures.shape == (*shape, 1)


def test_that_what_cannot_be_sequences_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds 3 × 4 × 4 × 2 numbers; sequences have examples × steps × features"):
        read(saved(tmp_path, x=np.ones((3, 4, 4, 2))), examples="sequences")
    gaps = WAVES.copy()
    gaps[[2, 5], 3, 1] = np.nan, np.inf
    with pytest.raises(InputError, match=r"sequences in rows 3, 6 hold values that are missing.*Fill shorter"):
        read(saved(tmp_path, x=gaps))
    path = saved(tmp_path, x=WAVES)
    with pytest.raises(InputError, match="the sequences have no labels"):
        load_dataset(DataRecipe(sources=(Source(path=str(path)),)))


def test_that_what_is_asked_for_is_read_again_and_not_from_the_cache(tmp_path: Path) -> None:
    path, cache = saved(tmp_path, x=WAVES, y=np.arange(9)), tmp_path / "cache"
    kept = [
        read_one([Source(path=str(path), examples=examples)], cache=cache)
        for examples in ("auto", "pictures", "auto", "sequences")
    ]
    assert [content.sequences is None for content in kept] == [False, True, False, False]
    assert len(list(Cache(cache).folder.iterdir())) == 3
    assert kept[0].sequences is not None
    np.testing.assert_array_equal(kept[0].sequences, WAVES)


def test_that_examples_are_taken_and_joined_like_rows(tmp_path: Path) -> None:
    content = read(saved(tmp_path, x=WAVES, y=np.arange(9)))
    taken = content.take(np.array([7, 1]))
    assert taken.sequences is not None
    np.testing.assert_array_equal(taken.sequences, WAVES[[7, 1]])
    path = saved(tmp_path, x_train=WAVES[:6], y_train=np.arange(6), x_test=WAVES[6:], y_test=np.arange(3))
    both = read_one([Source(path=str(path)), Source(path=str(path))])
    assert both.sequences is not None
    assert both.sequences.shape == (18, 6, 4)
    np.savez(tmp_path / "other.npz", x=WAVES[:, :5], y=np.arange(9))
    with pytest.raises(InputError, match=r"holds sequences of 5 steps × 4 features, but .* of 6 steps × 4 features"):
        read_one([Source(path=str(path)), Source(path=str(tmp_path / "other.npz"))])


@pytest.mark.parametrize("way", ["standard", "minmax", "none"])
def test_that_each_feature_is_normalized_over_the_training_rows_and_all_their_steps(tmp_path: Path, way: str) -> None:
    x = (WAVES * [1, 10, 0.1, 3] + [1000, 0, 5, -2]).astype(np.float32)
    path = saved(tmp_path, x=np.tile(x, (3, 1, 1)) + RNG.normal(size=(27, 1, 1)), y=np.arange(27) % 3)
    recipe = DataRecipe.model_validate({"sources": [{"path": str(path)}], "normalize": way})
    dataset = load_dataset(recipe)
    lines = dataset.inputs[dataset.sets["train"]].reshape(-1, 4).astype(np.float64)
    shift, width = {
        "standard": (lines.mean(axis=0), lines.std(axis=0)),
        "minmax": (lines.min(axis=0), np.ptp(lines, axis=0)),
        "none": (np.zeros(4), np.ones(4)),
    }[way]
    np.testing.assert_allclose(dataset.encoder.shift, shift, rtol=1e-5)
    np.testing.assert_allclose(dataset.encoder.scale, 1 / width, rtol=1e-5)
    again = Encoder.from_json(dataset.encoder.to_json())
    assert again.input_shape == (6, 4)
    np.testing.assert_array_equal(again.encode(dataset.content), dataset.inputs)
    np.testing.assert_allclose(column_deviations(dataset.inputs, dataset.sets["train"]), lines.std(axis=0), rtol=1e-5)


def test_that_a_model_reads_another_file_as_it_read_the_first(tmp_path: Path) -> None:
    encoder = load_dataset(
        DataRecipe(sources=(Source(path=str(saved(tmp_path, x=np.tile(WAVES, (3, 1, 1)), y=np.arange(27) % 3))),))
    ).encoder
    whole = np.round(np.abs(WAVES) * 50)
    content = read_one([Source(path=str(saved(tmp_path, x=whole)))], encoder.hints())
    np.testing.assert_array_equal(encoder.encode(content), whole)
    assert encoder.notes(content) == ()
    for other in (WAVES[:, :5], np.ones((3, 4))):
        with pytest.raises(InputError, match="the network reads sequences of 6 steps × 4 features, this is"):
            encoder.encode(read_one([Source(path=str(saved(tmp_path, x=other)))], encoder.hints()))


def test_that_a_damaged_encoder_of_sequences_is_refused() -> None:
    encoder = Encoder("regression", "y", (), (), (6, 4), np.zeros(4, np.float32), np.ones(4, np.float32))
    text = encoder.to_json()
    assert Encoder.from_json(text).input_shape == (6, 4)
    for shape in ("[6, 4, 1, 1]", "[6, 3]", "[4]"):
        with pytest.raises(InputError):
            Encoder.from_json(text.replace("[6, 4]", shape))


def said(proposal: Proposal, text: str) -> bool:
    return any(text in reason for reason in proposal.reasons)


# --- what is proposed --------------------------------------------------------------------------------------------


def test_that_a_sequence_network_is_proposed_and_told_why(tmp_path: Path) -> None:
    proposal = propose([write_sequences(tmp_path)])
    kinds = [layer.kind for layer in proposal.recipe.network.layers]
    assert kinds == ["conv1d", "activation", "max_pool1d", "lstm", "dense"]
    assert said(proposal, "Read as sequences of 24 steps × 3 features")
    assert said(proposal, 'If they are pictures, say examples = "pictures"')
    assert not said(proposal, "turn the axes")
    assert said(proposal, "sequences are soon learned by heart")
    assert proposal.dataset is not None
    assert proposal.dataset.split_reason in proposal.reasons


def test_that_other_readings_of_square_floats_and_of_wide_sequences_are_told(tmp_path: Path) -> None:
    square = propose([saved(tmp_path, x=RNG.normal(size=(60, 8, 8)), y=np.arange(60) % 2)])
    assert said(square, 'Read as gray pictures of 8 × 8. If they are sequences, say examples = "sequences"')
    wide = propose([saved(tmp_path, x=RNG.normal(size=(60, 3, 40)), y=np.arange(60) % 2)])
    assert said(wide, "If the steps stand last, turn the axes in the file")
    bytes_ = propose([saved(tmp_path, x=RNG.integers(0, 256, (60, 8, 8), np.uint8), y=np.arange(60) % 2)])
    assert not said(bytes_, "examples =")


@given(steps=st.integers(1, 5000), features=st.integers(1, 40), train=st.integers(1, 10**6))
def test_that_every_length_of_sequence_gets_a_network_that_fits(steps: int, features: int, train: int) -> None:
    layers, why = network_for(Size((steps, features), train, 10, "classification"))
    network = build_network(NetworkRecipe.model_validate({"layers": layers}), (steps, features), 5)
    read_by_state = next(node.input_shapes[0][0] for node in network.nodes if node.layer.kind == "lstm")
    assert read_by_state <= 60 or steps > 60 * 2**6 or read_by_state < steps
    assert why.endswith(".")


def test_that_token_numbers_are_offered_an_embedding_and_not_assumed(tmp_path: Path) -> None:
    tokens = RNG.integers(0, 5000, (80, 12))
    tokens[0, 0] = 4999
    proposal = propose([saved(tmp_path, x=tokens, y=np.arange(80) % 2)])
    assert said(proposal, "whole numbers up to 4,999")
    assert said(proposal, 'an embedding of vocabulary 5000, and set normalize = "none"')
    assert proposal.recipe.network.layers[0].kind == "dense"
    for other in (tokens + 0.5, tokens - 9000, tokens % 256, tokens[:, :3]):
        assert not said(propose([saved(tmp_path, x=other, y=np.arange(80) % 2)]), "embedding")


def test_that_a_profile_shows_the_size_and_range_of_each_feature_and_some_of_each_class(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.tile(WAVES, (30, 1, 1)), y=np.arange(270) // 90)
    dataset = load_dataset(DataRecipe(sources=(Source(path=str(path)),)))
    profile = profile_of(dataset.content, dataset)
    assert profile.sequences is not None
    assert (profile.sequences.steps, profile.sequences.features) == (6, 4)
    np.testing.assert_allclose(profile.sequences.low, WAVES.min(axis=(0, 1)))
    np.testing.assert_allclose(profile.sequences.high, WAVES.max(axis=(0, 1)))
    assert {row // 90 for row in profile.sample_rows} == {0, 1, 2}
    assert profile_of(Content(())).sequences is None

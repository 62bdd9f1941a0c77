"""What is proposed for files that are dropped: it fits the data, it can be built, and it says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sklearn import datasets
from support.data_rig import FASHION, picture_folder, write_idx

from workbench.data.propose import Proposal, propose
from workbench.engine.layer import Loss
from workbench.engine.network import Network, build_network
from workbench.errors import InputError
from workbench.recipe.recipe import Recipe


def bundled(tmp_path: Path, name: str) -> Path:
    """A data set of scikit-learn's as CSV."""
    path = tmp_path / f"{name}.csv"
    getattr(datasets, f"load_{name}")(as_frame=True).frame.to_csv(path, index=False)
    return path


def csv(path: Path, rows: int = 60, **columns: Any) -> Path:
    cells = {name: [make(row) for row in range(rows)] for name, make in columns.items()}
    lines = [",".join(cells), *(",".join(map(str, row)) for row in zip(*cells.values(), strict=True))]
    path.write_text("\n".join(lines))
    return path


def network_of(proposal: Proposal) -> Network:
    """The proposed network, built: every layer fits."""
    assert proposal.dataset is not None, proposal.problem
    encoder = proposal.dataset.encoder
    loss = cast(Loss, proposal.recipe.training.loss)
    return build_network(proposal.recipe.network, encoder.input_shape, loss.outputs(max(1, len(encoder.classes))))


def said(proposal: Proposal, text: str) -> bool:
    return any(text in reason for reason in proposal.reasons)


@pytest.mark.parametrize(
    ("name", "task", "outputs", "loss"),
    [
        ("breast_cancer", "classification", 2, "cross_entropy"), ("iris", "classification", 3, "cross_entropy"),
        ("wine", "classification", 3, "cross_entropy"), ("digits", "classification", 10, "cross_entropy"),
        ("diabetes", "regression", 1, "mean_squared_error"),
    ],
)  # fmt: skip
def test_that_bundled_tables_get_a_recipe_that_can_be_built(
    tmp_path: Path, name: str, task: str, outputs: int, loss: str
) -> None:
    proposal = propose([bundled(tmp_path, name)])
    recipe = proposal.recipe
    assert (recipe.name, recipe.data.task, recipe.data.target) == (name, task, "target")
    assert recipe.training.loss.kind == loss
    assert recipe.training.optimizer.kind == "adam"
    assert recipe.data.normalize_target == ("standard" if task == "regression" else "none")
    assert recipe.data.split == "auto"
    assert recipe.training.early_stopping is not None
    assert 5 <= recipe.training.epochs <= 100
    assert network_of(proposal).nodes[-1].shape == (outputs,)
    assert {layer.kind for layer in recipe.network.layers} == {"dense", "activation"}
    assert said(proposal, "Target 'target': by its name.")
    assert said(proposal, "60/20/20")
    # A recipe is a file: it must come back as it was.
    assert Recipe.parse(recipe.tree()) == recipe


def test_that_a_target_that_is_given_is_taken(tmp_path: Path) -> None:
    path = bundled(tmp_path, "iris")
    proposal = propose([path], target="petal width (cm)")
    assert (proposal.recipe.data.target, proposal.recipe.data.task) == ("petal width (cm)", "regression")
    said = r"no column 'petal width'; did you mean 'petal width \(cm\)'.*Columns: 'sepal length"
    with pytest.raises(InputError, match=said):
        propose([path], target="petal width")


def test_that_the_last_column_is_the_target_where_no_name_says_otherwise(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", a=lambda i: i * 0.5, b=lambda i: "pq"[i % 2], code=lambda i: f"k{i}")
    proposal = propose([path])
    assert proposal.recipe.data.target == "b"
    assert said(proposal, "the last column, as no name says otherwise")


def test_that_useless_columns_are_left_out_with_a_reason(tmp_path: Path) -> None:
    path = csv(
        tmp_path / "t.csv",
        patient_id=lambda i: (i * 7919) % 10007,
        count=lambda i: i + 1,
        name=lambda i: f"n{i}",
        site=lambda i: "here",
        size=lambda i: (i * 37) % 11,
        result=lambda i: ["good", "bad"][i % 2],
        label=lambda i: i % 2,
    )
    proposal = propose([path])
    assert set(proposal.recipe.data.exclude) == {"patient_id", "count", "name", "site", "result"}
    assert said(proposal, "Left out 'patient_id': an identifier by its name")
    assert said(proposal, "Left out 'count': it counts the rows")
    assert said(proposal, "Left out 'name': each text stands about once")
    assert said(proposal, "Left out 'site': the same value everywhere")
    assert said(proposal, "Left out 'result': it says the same as 'label'")
    assert proposal.dataset is not None
    assert proposal.dataset.encoder.feature_names == ("size",)


def test_that_something_is_left_to_learn_from(tmp_path: Path) -> None:
    proposal = propose([csv(tmp_path / "t.csv", x=lambda i: i, y=lambda i: i % 2)])
    assert proposal.recipe.data.exclude == ()
    assert proposal.dataset is not None


def test_that_few_whole_numbers_are_classes_and_others_are_not(tmp_path: Path) -> None:
    for values, task in ((lambda i: i % 20, "classification"), (lambda i: i % 21, "regression"),
                         (lambda i: (i % 4) / 2, "regression")):  # fmt: skip
        assert propose([csv(tmp_path / "t.csv", x=lambda i: i * 0.1, y=values)]).recipe.data.task == task


def test_that_unequal_classes_are_pointed_out(tmp_path: Path) -> None:
    path = csv(tmp_path / "t.csv", x=lambda i: i * 0.1, y=lambda i: "rare" if i % 10 == 0 else "common")
    assert said(propose([path]), 'weights.class_balance = "inverse_frequency" would let rare ones weigh as much')


def test_that_files_keep_the_set_that_their_name_says(tmp_path: Path) -> None:
    train = csv(tmp_path / "train.csv", x=lambda i: i * 0.1, y=lambda i: i % 2)
    test = csv(tmp_path / "my_test.csv", 20, x=lambda i: i * 0.3, y=lambda i: i % 2)
    proposal = propose([train, test])
    assert [source.set for source in proposal.recipe.data.sources] == ["any", "test"]
    assert proposal.dataset is not None
    assert len(proposal.dataset.sets["test"]) == 20
    assert propose([test]).recipe.data.sources[0].set == "any"


def test_that_a_test_file_without_the_target_is_left_out(tmp_path: Path) -> None:
    train = csv(tmp_path / "train.csv", x=lambda i: i * 0.1, y=lambda i: i % 2)
    test = csv(tmp_path / "test.csv", 20, x=lambda i: i * 0.3)
    proposal = propose([train, test])
    assert len(proposal.recipe.data.sources) == 1
    assert said(proposal, "test.csv is left out: it has no column 'y'")


def test_that_a_folder_of_pictures_gets_a_convolutional_network(tmp_path: Path) -> None:
    proposal = propose([picture_folder(tmp_path / "pets", each=10, size=20)])
    assert proposal.recipe.name == "pets"
    assert proposal.recipe.data.target == "label"
    kinds = [layer.kind for layer in proposal.recipe.network.layers]
    assert kinds == [*["conv2d", "activation", "max_pool2d"] * 2, "flatten", "dense", "activation", "dense"]
    assert network_of(proposal).nodes[-1].shape == (2,)
    assert proposal.recipe.training.early_stopping is None


@pytest.mark.parametrize(
    ("size", "convolutions"), [(1, 0), (3, 0), (4, 1), (8, 1), (15, 1), (16, 2), (33, 2), (64, 3), (130, 4)]
)
def test_that_pictures_of_any_size_get_a_network_that_fits(tmp_path: Path, size: int, convolutions: int) -> None:
    proposal = propose([picture_folder(tmp_path / "p", each=5, size=size)])
    assert sum(layer.kind == "conv2d" for layer in proposal.recipe.network.layers) == convolutions
    assert network_of(proposal).parameter_count() < 3_000_000


def test_that_idx_labels_find_their_pictures(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for name, count in (("train", 30), ("t10k", 10)):
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", chance.integers(0, 256, (count, 8, 8)))
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", np.arange(count) % 3)
    proposal = propose(sorted(tmp_path.iterdir()))
    assert [Path(source.path).name for source in proposal.recipe.data.sources] == [
        "t10k-images-idx3-ubyte", "train-images-idx3-ubyte",
    ]  # fmt: skip
    assert proposal.dataset is not None
    assert len(proposal.dataset.sets["test"]) == 10
    only_labels = propose([tmp_path / "train-labels-idx1-ubyte"])
    assert Path(only_labels.recipe.data.sources[0].path).name == "train-images-idx3-ubyte"
    (tmp_path / "train-images-idx3-ubyte").unlink()
    with pytest.raises(InputError, match="the file of pictures is missing beside it"):
        propose([tmp_path / "train-labels-idx1-ubyte"])


def test_that_npy_labels_are_paired_by_set_and_length(tmp_path: Path) -> None:
    for name, count in (("train", 30), ("test", 10)):
        np.save(tmp_path / f"x_{name}.npy", np.random.default_rng(0).normal(size=(count, 4)))
        np.save(tmp_path / f"y_{name}.npy", np.arange(count) % 2)
    proposal = propose(sorted(tmp_path.iterdir()))
    pairs = {Path(source.path).name: Path(source.labels or "").name for source in proposal.recipe.data.sources}
    assert pairs == {"x_test.npy": "y_test.npy", "x_train.npy": "y_train.npy"}
    assert proposal.dataset is not None
    assert len(proposal.dataset.sets["test"]) == 10
    np.save(tmp_path / "measured.npy", np.ones((7, 2)))
    np.save(tmp_path / "truth.npy", np.arange(7))
    loose = propose([tmp_path / "truth.npy", tmp_path / "measured.npy"])
    assert said(loose, "truth.npy holds the labels of measured.npy")
    with pytest.raises(InputError, match=r"truth\.npy: holds labels that belong to none"):
        propose([tmp_path / "truth.npy", tmp_path / "x_train.npy"])


def test_that_what_cannot_be_trained_on_yet_still_gets_a_recipe_to_edit(tmp_path: Path) -> None:
    proposal = propose([csv(tmp_path / "t.csv", x=lambda i: i * 0.1, y=lambda i: "same")])
    assert proposal.dataset is None
    assert "one class only" in str(proposal.problem)
    unlabeled = propose([write_idx(tmp_path / "a.idx", np.zeros((5, 9, 9)))])
    assert "the pictures have no labels" in str(unlabeled.problem)
    assert unlabeled.recipe.network.layers[0].kind == "conv2d"


def test_that_nothing_and_bad_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data are named"):
        propose([])
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(InputError, match="line 3 has 1"):
        propose([tmp_path / "t.csv"])


def test_that_larger_data_get_larger_batches_and_fewer_epochs(tmp_path: Path) -> None:
    sizes = {}
    for rows in (100, 5_000, 200_000):
        np.savez(tmp_path / "t.npz", x=np.random.default_rng(0).normal(size=(rows, 3)), y=np.arange(rows) % 2)
        training = propose([tmp_path / "t.npz"]).recipe.training
        sizes[rows] = (training.batch_size, training.epochs)
    assert sizes == {100: (32, 100), 5_000: (64, 100), 200_000: (128, 6)}


@pytest.mark.skipif(not FASHION.exists(), reason="dataset-fashion-mnist is not installed")
def test_that_fashion_mnist_gets_ten_epochs_of_a_small_convolutional_network() -> None:
    proposal = propose([FASHION])
    assert proposal.dataset is not None
    assert {name: len(rows) for name, rows in proposal.dataset.sets.items()} == {
        "train": 48_000, "dev": 12_000, "test": 10_000,
    }  # fmt: skip
    assert (proposal.recipe.training.epochs, proposal.recipe.training.batch_size) == (10, 64)
    network = network_of(proposal)
    assert network.nodes[-1].shape == (10,)
    assert 300_000 < network.parameter_count() < 600_000


def test_that_texts_that_stand_a_few_times_each_are_left_out_as_they_may_name_a_group(tmp_path):
    random = np.random.default_rng(0)
    lines = ["patient,dose,ill", *(f"p{row // 3},{random.normal():.3f},{row % 2}" for row in range(180))]
    path = tmp_path / "visits.csv"
    path.write_text("\n".join(lines))
    proposal = propose([path], "ill")
    assert proposal.recipe.data.exclude == ("patient",)
    assert any("may name a group" in reason for reason in proposal.reasons)

import numpy as np
import pytest
from support.small_runs import finished, table_recipe, train, write_numbers, write_table

from workbench.events import CheckpointSaved, EpochDone, LearningRateChanged, Paused, Resumed, RunStarted, StepDone
from workbench.recipe.recipe import Recipe
from workbench.session.outcome import errors_of, outcome, predictions_of
from workbench.session.prepare import prepare
from workbench.store.run_folder import RunFolder
from workbench.training.control import Control
from workbench.training.loop import Diverged


def run_all(recipe, folder, control=None, on_event=None):
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(folder, recipe) as run:
        training, events = train(prepared, run, control)
        seen = []
        for event in events:
            seen.append(event)
            if on_event:
                on_event(event)
        return training, seen, run.events()


def test_that_a_run_starts_tells_every_epoch_and_learns(tmp_path):
    _, seen, logged = run_all(table_recipe(write_table(tmp_path), epochs=15), tmp_path / "run")
    assert isinstance(seen[0], RunStarted)
    epochs = [event for event in seen if isinstance(event, EpochDone)]
    assert [event.epoch for event in epochs] == list(range(16))
    assert epochs[-1].train_error < epochs[0].train_error
    assert epochs[-1].dev_error < 0.35
    assert [event for event in logged if isinstance(event, EpochDone)] == epochs


def test_that_an_epoch_is_told_only_after_its_checkpoint_is_saved(tmp_path):
    recipe = table_recipe(write_table(tmp_path))
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        _, events = train(prepared, run)
        for event in events:
            if isinstance(event, EpochDone):
                assert run.load("last").facts["epoch"] >= event.epoch


def test_that_no_epochs_leave_the_initial_weights(tmp_path):
    recipe = table_recipe(write_table(tmp_path), epochs=0)
    training, seen, _ = run_all(recipe, tmp_path / "run")
    before = training.parameters.export()
    training.parameters.initialize(recipe.training.seed)
    for name, array in training.parameters.export().items():
        np.testing.assert_array_equal(array, before[name])
    assert [event.epoch for event in seen if isinstance(event, EpochDone)] == [0]


def test_that_the_last_step_of_an_epoch_takes_the_rest(tmp_path):
    recipe = table_recipe(write_table(tmp_path, rows=100), epochs=1, batch_size=7)
    _, seen, _ = run_all(recipe, tmp_path / "run")
    started = next(event for event in seen if isinstance(event, RunStarted))
    assert started.examples["train"] == 60
    assert started.steps_per_epoch == 9


def test_that_equal_seeds_give_equal_runs_and_others_do_not(tmp_path):
    recipe = table_recipe(write_table(tmp_path))
    first, second = finished(recipe, tmp_path / "1"), finished(recipe, tmp_path / "2")
    third = finished(recipe.replace("training.seed", 1), tmp_path / "3")
    assert np.array_equal(first.parameters.values, second.parameters.values)
    assert not np.array_equal(first.parameters.values, third.parameters.values)


def test_that_early_stopping_stops_and_survives_a_resume(tmp_path):
    stopping = {"patience": 3}
    recipe = table_recipe(write_table(tmp_path), epochs=200, early_stopping=stopping, optimizer="adam")
    whole = finished(recipe, tmp_path / "whole")
    assert whole.reason == "early_stopping"
    assert whole.state.epoch == whole.state.best_epoch + 3
    prepared = prepare(recipe, device="cpu", threads=1)
    control = Control()
    with RunFolder.create(tmp_path / "parts", recipe) as run:
        training, events = train(prepared, run, control)
        for _ in events:
            if training.state.epoch == whole.state.best_epoch + 1:
                control.stop()
        training, events = train(prepared, run, resume_from=run.load("last"))
        for _ in events:
            pass
        assert run.load("best").facts["epoch"] == whole.state.best_epoch
    assert training.state.epoch == whole.state.epoch


@pytest.mark.parametrize("more", [{}, {"accumulate": 2, "ema": {}, "l2": 0.1}])
def test_that_a_huge_learning_rate_ends_within_a_step_and_the_last_finite_state_stays(tmp_path, more):
    recipe = table_recipe(write_table(tmp_path), optimizer={"kind": "sgd", "learning_rate": 1e8}, epochs=50, **more)
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        with pytest.raises(Diverged):
            list(events)
        kept = run.load("last")
        assert all(np.isfinite(array).all() for array in kept.tensors.values())
        assert kept.facts["step"] <= training.state.step


def test_that_the_learning_rate_changes_while_running_after_a_checkpoint(tmp_path):
    control = Control()

    def ask(event):
        if isinstance(event, StepDone) and event.step == 11:
            control.set_learning_rate(5e-4)

    recipe = table_recipe(write_table(tmp_path), epochs=5, schedule="constant")
    _, seen, logged = run_all(recipe, tmp_path / "run", control, ask)
    change = next(event for event in seen if isinstance(event, LearningRateChanged))
    assert (change.before, change.after) == (1e-3, 5e-4)
    assert change in logged
    saved = [event for event in seen if isinstance(event, CheckpointSaved) and event.reason == "change"]
    assert [event.step for event in saved] == [change.step]
    rates = {event.step > change.step: event.learning_rate for event in seen if isinstance(event, StepDone)}
    assert rates == {False: 1e-3, True: 5e-4}


def test_that_a_pause_saves_and_a_resume_goes_on(tmp_path):
    control = Control()

    def ask(event):
        if isinstance(event, StepDone) and event.step == 7:
            control.pause()
        if isinstance(event, CheckpointSaved) and event.reason == "pause":
            control.resume()

    recipe = table_recipe(write_table(tmp_path))
    training, seen, _ = run_all(recipe, tmp_path / "run", control, ask)
    kinds = [type(event) for event in seen]
    assert kinds.index(Paused) < kinds.index(Resumed)
    assert training.state.epoch == 4


def test_that_the_step_records_carry_norms_of_every_layer(tmp_path):
    _, seen, _ = run_all(table_recipe(write_table(tmp_path)), tmp_path / "run")
    started = next(event for event in seen if isinstance(event, RunStarted))
    steps = [event for event in seen if isinstance(event, StepDone)]
    assert started.layers == ("dense_1", "dense_2")
    for step in steps:
        assert len(step.gradient_norms) == len(step.update_ratios) == 2
        assert step.gradient_norm == pytest.approx(np.hypot(*step.gradient_norms), rel=1e-5)
        assert 0 < step.update_ratio < 1


def test_that_a_frozen_layer_keeps_its_weights(tmp_path):
    recipe = table_recipe(write_table(tmp_path)).replace("network.layers.dense_1.frozen", True)
    training = finished(recipe, tmp_path / "run")
    after = training.parameters.export()
    training.parameters.initialize(recipe.training.seed)
    before = training.parameters.export()
    assert np.array_equal(before["dense_1.weight"], after["dense_1.weight"])
    assert not np.array_equal(before["dense_2.weight"], after["dense_2.weight"])


def test_that_the_final_errors_agree_with_scikit_learn(tmp_path):
    from sklearn.metrics import accuracy_score, log_loss

    recipe = table_recipe(write_table(tmp_path), epochs=8)
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        last = [event for event in events if isinstance(event, EpochDone)][-1]
        arrays = outcome(training, prepared, "test").predictions
    predictions = predictions_of(arrays, prepared.dataset.classes, prepared.dataset.distributions)
    errors = errors_of(predictions)
    for name in ("train", "dev", "test"):
        part = predictions.of_split(name)
        assert errors[name].value == pytest.approx(1 - accuracy_score(part.y_true, part.y_pred))
    dev = predictions.of_split("dev")
    chances = dev.probabilities / dev.probabilities.sum(axis=1, keepdims=True)  # float32 sums to 1 but for rounding
    assert last.dev_error == pytest.approx(errors["dev"].value)
    assert last.dev_loss == pytest.approx(log_loss(dev.y_true, chances, labels=[0, 1, 2]), rel=1e-5)


def test_that_regression_is_trained_in_the_targets_unit(tmp_path):
    from sklearn.metrics import r2_score

    tree = {
        "data": {"sources": [str(write_numbers(tmp_path))], "target": "price", "task": "regression",
                 "normalize_target": "standard"},
        "network": {"layers": [{"kind": "dense", "units": 16}, "activation", {"kind": "dense", "units": "classes"}]},
        "training": {"loss": "mean_squared_error", "epochs": 60, "batch_size": 32,
                     "optimizer": {"kind": "adam", "learning_rate": 0.01}},
    }  # fmt: skip
    recipe = Recipe.parse(tree)
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        last = [event for event in events if isinstance(event, EpochDone)][-1]
        arrays = outcome(training, prepared, "test").predictions
    predictions = predictions_of(arrays, (), ("",)).of_split("train")
    assert 30 < predictions.y_pred.mean() < 45
    unexplained = 1 - r2_score(predictions.y_true, predictions.y_pred)
    assert last.train_error == pytest.approx(unexplained, rel=1e-4)
    assert unexplained < 0.2


def test_that_without_shuffling_batches_come_in_source_order(tmp_path):
    recipe = table_recipe(write_table(tmp_path), shuffle=False, epochs=1)
    prepared = prepare(recipe, device="cpu", threads=1)
    with RunFolder.create(tmp_path / "run", recipe) as run:
        training, events = train(prepared, run)
        seen = []
        step, plan = training.stepper.step, training.stepper.plan

        def watch(rows, *arguments, **named):
            step(rows, *arguments, **named)
            seen.append(plan.input[:rows].copy())

        training.stepper.step = watch
        list(events)
    dataset = prepared.dataset
    order = dataset.sets["train"]
    expected = (dataset.inputs[order] - dataset.encoder.shift) * dataset.encoder.scale
    np.testing.assert_allclose(np.concatenate(seen), expected, rtol=1e-5)
    assert (np.diff(order) > 0).all()


def test_that_health_is_recorded_more_seldom_where_it_would_weigh_more():
    from support.networks import network_of

    from workbench.training.loop import steps_between_records

    def every(units, batch=64, steps=1000, epochs=20):
        layers = [{"kind": "dense", "units": units}, {"kind": "dense", "units": "classes"}]
        return steps_between_records(network_of(layers, (100,)), batch, steps, epochs)

    assert every(2000, batch=1024) == 10, "a hundred an epoch at most"
    assert every(500) > every(500, batch=256) > 10
    assert every(10) == 500, "forty in a run are never too many"
    assert every(10, steps=20, epochs=2) == 1
    assert every(10, steps=3, epochs=10_000) == 3, "one an epoch at least"

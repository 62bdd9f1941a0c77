"""What it costs to watch a training's health at the frequency that every run has: share of a step, by network.

    .venv/bin/python benchmarks/health.py [--rounds 3] [--threads 1] [--steps 938] [--only CNN]

One training is stepped on in stretches, without and with what a run watches in turns: gradients and updates by layer in
recorded steps, and units, pre-activations and weights where the layers are looked at. 938 steps an epoch are those of
60,000 examples in batches of 64; fewer are recorded more densely. The figure is of all epochs together, of one thread
in processor time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from training import CASES, Case, engine_parts

from workbench.engine.device import one_blas_thread
from workbench.training.health import LayerWatch
from workbench.training.loop import steps_between_records
from workbench.training.stepper import health_of

EPOCHS, STRETCH = 100, 32
"""Epochs of the run that the frequency is of, and steps in a row of either kind."""


class Trial:
    """A network that is trained on with and without being watched."""

    def __init__(self, case: Case, threads: int, steps: int) -> None:
        self.stepper, self.feeder = engine_parts(case, threads, True)
        self.watch = LayerWatch(self.stepper.plan, EPOCHS, steps)
        self.steps = steps
        self.every = steps_between_records(self.stepper.plan.network, case.batch, steps, EPOCHS)
        self.rate, self.number = self.stepper.optimizer.learning_rate, 0
        # Other programs take turns with one thread, and do not count; several threads also wait for each other.
        self.clock = time.thread_time if threads == 1 else time.perf_counter
        order = np.random.default_rng(1).permutation(case.examples)
        self.batches = [order[first : first + case.batch] for first in range(0, case.examples - case.batch, case.batch)]
        self.figures = np.zeros(self.stepper.figures)
        self.watch.begin()
        for first in range(0, steps, STRETCH):
            # Compiles and binds all that is used, and lets the frequency of the processor settle.
            self.stretch(0, first, True)
        self.watch.after_epoch(1)

    def stretch(self, epoch: int, first: int, watched: bool) -> None:
        """Some steps, as a training takes them."""
        stepper, batches, looked_at = self.stepper, self.batches, self.watch.batches(epoch) if watched else frozenset()
        for batch in range(first, min(self.steps, first + STRETCH)):
            self.number += 1
            count = self.feeder.fill(stepper.plan, batches[batch % len(batches)])
            stepper.plan.keeps_all = looked = batch in looked_at
            recorded = watched and (batch + 1) % self.every == 0
            stepper.step(count, self.rate, self.number, watch=self.figures if recorded else None)
            if looked:
                self.watch.look(count)
            if recorded:
                health_of(self.figures)

    def spent(self, epoch: int) -> tuple[float, float]:
        """Seconds of an epoch without and with watching."""
        spent = {False: 0.0, True: 0.0}
        for number, first in enumerate(range(0, self.steps, STRETCH)):
            for watched in (False, True) if number % 2 else (True, False):
                started = self.clock()
                self.stretch(epoch, first, watched)
                spent[watched] += self.clock() - started
        started = self.clock()
        self.watch.after_epoch(epoch + 1)
        spent[True] += self.clock() - started
        return spent[False], spent[True]


def main() -> None:
    """Measure all in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each network")
    parser.add_argument("--threads", type=int, default=1, help="compute threads")
    parser.add_argument("--steps", type=int, default=938, help="steps of an epoch")
    parser.add_argument("--only", default="", help="only networks whose name contains this")
    options = parser.parse_args()
    print("| network | step | recorded | health adds | from, to |", "|---|---|---|---|---|", sep="\n")
    for name, case in ((name, case) for name, case in CASES.items() if options.only in name):
        with one_blas_thread():
            trial = Trial(case, options.threads, options.steps)
            found = [trial.spent(epoch + 1) for epoch in range(options.rounds)]
        _row(name, trial, found)


def _row(name: str, trial: Trial, found: list[tuple[float, float]]) -> None:
    bare, watched = (sum(each) for each in zip(*found, strict=True))
    step, shares = bare / len(found) / trial.steps, sorted(watched / bare - 1 for bare, watched in found)
    ends = f"{shares[0]:.1%}, {shares[-1]:.1%}"
    print(f"| {name} | {step * 1e3:.2f} ms | every {trial.every} | {watched / bare - 1:.1%} | {ends} |", flush=True)


if __name__ == "__main__":
    main()

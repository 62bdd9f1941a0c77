"""``rates``: the learning rate range test."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from workbench.cli.console import Bar, put, put_json, say, table
from workbench.cli.main import add_verb
from workbench.cli.train import add_computing, changes_of, reading
from workbench.recipe.assignments import option
from workbench.session.prepare import load_recipe, prepare
from workbench.session.rates import HIGH, LOW, STEPS, RangeTest, range_test

_ROWS = 12


def add_rates(parsers: Any) -> None:
    """Add the verb ``rates``."""
    parser = add_verb(
        parsers,
        "rates",
        _rates,
        "workbench rates recipe.toml --set training.optimizer.kind=sgd",
        "Find a learning rate: train a copy of the recipe's start while the rate rises exponentially, and see where the"
        " loss falls fastest and where it explodes (range test, Smith 2017). Nothing is saved or changed.",
    )
    parser.add_argument("recipe", type=Path, help="the recipe, a TOML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="change a value of the recipe, for this test"
    )
    parser.add_argument("--from", dest="low", type=float, default=LOW, metavar="RATE", help=f"the first ({LOW:g})")
    parser.add_argument("--to", dest="high", type=float, default=HIGH, metavar="RATE", help=f"the last ({HIGH:g})")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help=f"how many ({STEPS})")
    add_computing(parser)
    parser.add_argument("--json", action="store_true", help="print the curve and the suggestion as JSON")


def _rates(options: argparse.Namespace) -> int:
    recipe = load_recipe(options.recipe, changes_of(options.set))
    prepared = prepare(recipe, device=options.device, threads=options.threads, progress=reading(Bar()))
    for text in prepared.notices:
        say(f"note: {text}")
    told = reading(Bar())
    found = range_test(prepared, low=options.low, high=options.high, steps=options.steps, progress=told)
    told("", 1, 1)
    if options.json:
        put_json(found.to_json())
        return 0
    put(curve_table(found))
    put(verdict(found, recipe.training.optimizer.learning_rate))
    return 0


def curve_table(found: RangeTest) -> str:
    """The smoothed loss at some of the rates, evenly spread, the first and the last among them."""
    last = len(found.rates) - 1
    places = sorted({round(last * number / (_ROWS - 1)) for number in range(_ROWS)}) if last >= 0 else []
    rows = [[f"{found.rates[place]:.1e}", f"{found.smoothed[place]:.4g}"] for place in places]
    return table([["learning rate", "loss, smoothed"], *rows], {0, 1})


def verdict(found: RangeTest, now: float) -> str:
    """What the curve speaks for, and how to take it; or why that cannot be told."""
    ends = {
        "range": "",
        "exploded": f"The loss exploded at {found.rates[-1]:.2g}. " if found.rates else "",
        "not finite": f"The loss was no finite number after {found.rates[-1]:.2g}. " if found.rates else "",
    }
    if found.suggestion is None:
        return f"{ends[found.ended]}Cannot tell. {found.doubt}"
    taken = option("training.optimizer.learning_rate", found.suggestion)
    return (
        f"{ends[found.ended]}Steepest fall at {found.steepest:.2g}; lowest at {found.minimum:.2g}, a tenth of it is "
        f"{found.tenth:.2g}.\nSuggested: {found.suggestion:g} (the recipe has {now:g}). Take it with: {taken}"
    )

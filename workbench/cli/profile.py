"""How ``train --profile`` prints where the time of a step goes."""

from __future__ import annotations

from typing import Any

from workbench.cli.console import duration, put, table


def put_profile(profile: dict[str, Any]) -> None:
    """Print the tables of ``Profile.to_json``."""
    threads = "" if profile["threads"] == 1 else f" on {profile['threads']} threads"
    put(
        f"\nA step of {profile['batch_size']:,} examples{threads} takes {profile['step_us']:,.0f} µs"
        f" (median of {profile['steps']})"
    )
    layers = [["layer", "share", "µs", "forward", "backward", "calls", "multiply-adds/s"]]
    layers += [
        [_name(row), *_spent(row), _micro(row["forward_us"]), _micro(row["backward_us"]), *_work(row)]
        for row in profile["layers"]
    ]
    layers += [[name, *_spent(row), "", "", "", ""] for name, row in profile["outside"].items() if row["us"]]
    put(table(layers, set(range(1, 7))))
    kernels = [["kernel", "share", "µs", "calls", "multiply-adds/s"]]
    kernels += [[row["kernel"], *_spent(row), *_work(row)] for row in profile["kernels"]]
    put("\n" + table(kernels, {1, 2, 3, 4}))
    spent = profile["run_seconds"]
    put("\nThe run: " + ", ".join(f"{name} {_seconds(seconds)}" for name, seconds in spent.items()) + "\n")


def _name(row: dict[str, Any]) -> str:
    return f"{row['layer']} ({row['kind'].replace('_', ' ')})"


def _spent(row: dict[str, Any]) -> list[str]:
    return [f"{100 * row['share']:.1f} %", _micro(row["us"])]


def _work(row: dict[str, Any]) -> list[str]:
    rate = row["multiply_adds_per_second"]
    return [f"{row['calls']:,}", "" if rate is None else f"{rate / 1e9:.1f} G"]


def _micro(number: float) -> str:
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)

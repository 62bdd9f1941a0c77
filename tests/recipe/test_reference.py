"""The page on what a recipe can say is that of the code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.reference import FAMILIES, reference

from workbench.recipe.fields import facts, knob
from workbench.recipe.kinds import Kinded, ScheduleSpec

PAGE = Path(__file__).parents[2] / "docs" / "recipe.md"


def test_that_the_page_in_the_docs_is_up_to_date() -> None:
    target = os.environ.get("WORKBENCH_REFERENCE")
    if target:
        Path(target).write_text(reference(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == reference(), "write it anew as its head says"


@pytest.mark.parametrize("family", [family for _, family in FAMILIES], ids=lambda family: family.family)
def test_that_every_kind_stands_there_with_all_its_fields(family: type[Kinded]) -> None:
    text = reference()
    for name, kind in family.kinds().items():
        part = text.split(f"### `{name}`\n\n{kind.about}\n")[1].split("\n##")[0]
        shared = facts(family) if family.family == "layer" else {}
        assert [field for field in facts(kind) if f"| `{field}` |" not in part and field not in shared] == []


def test_that_a_new_kind_stands_there_by_being_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {**ScheduleSpec.kinds()}
    monkeypatch.setitem(Kinded.registered, "schedule", kinds)  # type: ignore[arg-type]

    class Sudden(ScheduleSpec):
        kind = "sudden"
        about = "All at once."
        when: int = knob(3, help="The epoch.", ge=1, le=9, unit="epochs")

    assert "### `sudden`\n\nAll at once.\n" in reference()
    assert "| `when` | 3 | whole number, from 1, to 9, epochs | The epoch. |" in reference()

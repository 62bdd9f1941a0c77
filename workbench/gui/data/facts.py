"""What is told of imported data in a line. No widgets."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from workbench.gui.data_desk import DataState
from workbench.gui.figures import grouped, memory, shape
from workbench.gui.text import safe

_CHANNELS = {1: "gray", 3: "color", 4: "color with transparency"}


def head_note(state: DataState) -> str:
    """``12 480 rows · 7 columns · separator ; · decimal comma · utf-8``."""
    content, pictures, sequences = state.content, state.profile.pictures, state.profile.sequences
    if sequences is not None:
        sizes = _tr("{0} steps × {1} features").format(grouped(sequences.steps), grouped(sequences.features))
        words = [_tr("{0} sequences").format(grouped(content.rows)), sizes]
    elif pictures is not None:
        channels = _CHANNELS.get(pictures.channels)
        words = [
            _tr("{0} pictures").format(grouped(content.rows)),
            shape((pictures.height, pictures.width)),
            _tr(channels) if channels else _tr("{0} channels").format(pictures.channels),
            pictures.dtype,
        ]
    else:
        words = [_tr("{0} rows").format(grouped(content.rows)), _columns(len(content.columns))]
    # The same note comes from each source that was read alike.
    return " · ".join([*words, *dict.fromkeys(safe(note) for note in content.notes)])


def facts_line(state: DataState) -> str:
    """What the network gets of it: ``30 inputs · 2 classes · 4 missing values, filled``."""
    dataset, profile = state.dataset, state.profile
    missing = sum(column.missing for column in profile.columns)
    told = _tr("no missing values")
    if missing:
        told = _tr("1 missing value") if missing == 1 else _tr("{0} missing values").format(grouped(missing))
    if dataset is None:
        return told
    encoder = dataset.encoder
    inputs = (
        _tr("{0} inputs").format(grouped(encoder.input_shape[0])) if encoder.features else shape(encoder.input_shape)
    )
    words = {"classification": "{0} classes", "multilabel": "{0} labels", "regression": "one number"}
    answer = _tr(words[encoder.task]).format(grouped(len(dataset.classes)))
    parts = [_tr("The network reads {0} and answers with {1}").format(inputs, answer)]
    if encoder.features:
        parts.append(told)
    parts.append(memory(dataset.inputs.nbytes))
    return " · ".join(parts)


def notices_of(state: DataState | None) -> tuple[str, ...]:
    """What the user should know of the data."""
    return state.dataset.notices if state and state.dataset else ()


def _columns(count: int) -> str:
    return _tr("1 column") if count == 1 else _tr("{0} columns").format(grouped(count))


def _tr(text: str) -> str:
    return QCoreApplication.translate("data", text)

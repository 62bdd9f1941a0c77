"""What all tests share: no screen, no stray threads, nothing of the user's own folders."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

# Before anything loads Qt or a BLAS: tests run in several processes, each on one core.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# Tests have homes of their own; what was compiled in one of them is of use to all.
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(__file__).parents[1] / ".kernels"))

import pytest  # noqa: E402  the settings above must come first

_OURS = ("run-", "shard-", "requests", "import")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the settings, the cache or the projects of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "WORKBENCH_HOME"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(autouse=True)
def _no_stray_threads() -> Iterator[None]:
    """A thread of ours that outlives its test fails it."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith(_OURS)]
    for thread in left:
        thread.join(5)
    left = [thread.name for thread in left if thread.is_alive()]
    assert not left, f"threads still run: {left}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what cannot run here, and say why."""
    lacking = {"oracle": _lacks_torch(), "gpu": _lacks_gpu()}
    for item in items:
        for marker, reason in lacking.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def _lacks_torch() -> str:
    try:
        import torch  # noqa: F401
    except ImportError:
        if os.environ.get("WORKBENCH_ALL_ORACLES"):
            raise
        return "PyTorch is not installed: pip install -e '.[oracles]'"
    return ""


def _lacks_gpu() -> str:
    from workbench.engine.device import devices

    gpu = devices()[1]
    return "" if gpu.usable else gpu.text


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many oracle and GPU tests were skipped."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for what, mark in (("oracle", "PyTorch is not installed"), ("GPU", "device cuda")):
        count = sum(mark in reason for reason in skipped)
        if count:
            terminalreporter.write_line(f"{count} {what} tests were skipped.")


@pytest.fixture
def fashion_mnist() -> Path:
    """The folder of Fashion-MNIST's files, where Debian's package is installed."""
    folder = Path("/usr/share/datasets/fashion-mnist")
    if not folder.is_dir():
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    return folder

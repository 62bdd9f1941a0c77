"""NVRTC, the compiler of CUDA that CuPy uses, takes all sources: without a GPU, but it must be installed."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.engine.cuda.source_files import OPTIONS, kernels, modules, text_of


@pytest.fixture(scope="module")
def nvrtc() -> Any:
    """The compiler, as CuPy binds it."""
    try:
        from cupy_backends.cuda.libs import nvrtc

        nvrtc.getVersion()
    except Exception as error:  # Where the library is missing or too old, each release of CuPy says so in another way.
        pytest.skip(f"CuPy with NVRTC is not installed ({type(error).__name__})")
    return nvrtc


def _compiled(nvrtc: Any, text: str, architecture: str) -> bytes:
    program = nvrtc.createProgram(text, "kernels.cu", (), ())
    try:
        nvrtc.compileProgram(program, (*OPTIONS, f"--gpu-architecture={architecture}"))
        binary: bytes = nvrtc.getCUBIN(program)
        return binary
    finally:
        nvrtc.destroyProgram(program)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("module", modules())
def test_that_every_source_compiles_for_a_gpu(nvrtc: Any, module: str, architecture: str) -> None:
    binary = _compiled(nvrtc, text_of(module), architecture)
    for kernel in kernels().values():
        if kernel.module == module:
            assert kernel.name.encode() in binary

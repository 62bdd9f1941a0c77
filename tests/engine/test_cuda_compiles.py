"""NVRTC, the compiler of CUDA that CuPy uses, takes all sources; it needs no GPU, but CuPy must be installed."""

from __future__ import annotations

import pytest

from workbench.engine.cuda.source_files import OPTIONS, kernels, modules, text_of

nvrtc = pytest.importorskip("cupy_backends.cuda.libs.nvrtc", reason="CuPy is not installed", exc_type=ImportError)


def _compiled(text: str, architecture: str) -> bytes:
    program = nvrtc.createProgram(text, "kernels.cu", (), ())
    try:
        nvrtc.compileProgram(program, (*OPTIONS, f"--gpu-architecture={architecture}"))
        binary: bytes = nvrtc.getCUBIN(program)
        return binary
    finally:
        nvrtc.destroyProgram(program)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize("module", modules())
def test_that_every_source_compiles_for_a_gpu(module: str, architecture: str) -> None:
    binary = _compiled(text_of(module), architecture)
    for kernel in kernels().values():
        if kernel.module == module:
            assert kernel.name.encode() in binary

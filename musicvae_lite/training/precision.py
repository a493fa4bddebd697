"""Which number type to train in on a device, chosen by what the processor multiplies fastest."""

from __future__ import annotations

import torch

from musicvae_lite.errors import MusicVAEError

CPU_QUESTIONS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


def device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" takes a GPU where there is one."""
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        torch.ones(1, device=chosen).item()  # "meta" makes tensors, but there is nothing in them
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise MusicVAEError(f"--device {name}: not on this machine ({reason}): try cpu") from error
    return torch.device(chosen)


def training_type(on: torch.device) -> torch.dtype:
    """bfloat16 where the processor has instructions for it (AVX512-BF16, AMX, a recent GPU), else float32.

    Torch before 2.6 cannot be asked about a CPU: there it is float32.
    """
    if on.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    questions = (getattr(torch.cpu, name, None) for name in CPU_QUESTIONS)
    if on.type == "cpu" and any(ask() for ask in questions if ask is not None):
        return torch.bfloat16
    return torch.float32


def autocast(on: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which products run in `dtype`; weights and states stay float32."""
    return torch.autocast(on.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)

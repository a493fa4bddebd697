"""Which number type to train in on a device, chosen by what the processor multiplies fastest."""

from __future__ import annotations

import torch

from musicvae_lite.errors import MusicVAEError


def device(name: str = "auto") -> torch.device:
    """The device of that name; "auto" takes a GPU where there is one."""
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise MusicVAEError(f"--device {name}: not on this machine ({str(error).splitlines()[0]}): try cpu") from error
    return torch.device(chosen)


def training_type(on: torch.device) -> torch.dtype:
    """bfloat16 where the processor has instructions for it (AVX512-BF16, AMX, a recent GPU), else float32."""
    if on.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if on.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return torch.bfloat16
    return torch.float32


def autocast(on: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which products run in `dtype`; weights and states stay float32."""
    return torch.autocast(on.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)

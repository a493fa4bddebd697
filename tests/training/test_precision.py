"""Devices are refused by name, and the number type is one that the processor is good at."""

from __future__ import annotations

import pytest
import torch

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.training import precision


def test_auto_finds_a_device_that_is_there() -> None:
    assert precision.device("auto").type in ("cpu", "cuda")


@pytest.mark.parametrize("name", ["toaster", "", "meta", "hpu", "cuda:99", "xla"])
def test_a_device_that_is_not_there_is_one_clear_error(name: str) -> None:
    with pytest.raises(MusicVAEError, match=r"--device .*not on this machine \(.+\): try cpu"):
        precision.device(name)


@pytest.mark.parametrize(
    ("fast", "expected"), [("_is_avx512_bf16_supported", torch.bfloat16), ("nothing", torch.float32)]
)
def test_bfloat16_is_taken_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, fast: str, expected: torch.dtype
) -> None:
    for name in precision.CPU_QUESTIONS:
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name == fast, raising=False)
    assert precision.training_type(torch.device("cpu")) == expected


def test_a_torch_that_cannot_be_asked_trains_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in precision.CPU_QUESTIONS:
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert precision.training_type(torch.device("cpu")) == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_products_run_in_the_type_chosen(dtype: torch.dtype) -> None:
    with precision.autocast(torch.device("cpu"), dtype):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype

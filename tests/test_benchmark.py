"""The benchmark compares like with like, counts what it says it counts, and goes on where the original is missing."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from musicvae_lite.inference.config import Config
from musicvae_lite.model.musicvae import MusicVAE
from musicvae_lite.music.notes import COMMON_TIME
from scripts import benchmark
from scripts.benchmarks import figures
from scripts.benchmarks.figures import Figure, K, Options, Ratio, Rows, random_tokens, timed
from scripts.benchmarks.models import REFERENCE, StepByStep, flops, stepped

SMALL = replace(REFERENCE, latent=8, embedding=8, encoder_hidden=8, decoder_hidden=8)
QUICK = Options(rounds=2, threads=1, batch=2, clock="cpu", midi=None, magenta=Path("nowhere"))


def test_the_reference_takes_three_quarters_of_a_gigaflop_a_window() -> None:
    assert flops(REFERENCE, one_hots=True) / 1e9 == pytest.approx(0.75, abs=0.02)
    assert flops(REFERENCE) < flops(REFERENCE, one_hots=True)


def test_products_are_counted_as_the_parameters_that_take_part_in_them() -> None:
    config = Config(metrical_positions=False, view_rank=0, noise_conditioning=False)
    weights = {name: p.numel() for name, p in MusicVAE(config).named_parameters() if p.dim() == 2}
    a_step = sum(n for name, n in weights.items() if "lstm" in name or name == "decoder.output.weight")
    once = sum(n for name, n in weights.items() if "latent" in name or "initial" in name or "average" in name)
    assert flops(config) == 6 * (32 * a_step + once)


def test_the_port_has_seen_the_tokens_before_a_step_and_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # An encoder that reads nothing: z then says nothing of the tokens.
    monkeypatch.setattr(StepByStep, "read", lambda self, cell, x: torch.zeros(len(x), SMALL.encoder_hidden))
    port, tokens = StepByStep(SMALL), torch.from_numpy(random_tokens(2))
    other = tokens.clone()
    other[:, 20:] = K - 2
    torch.manual_seed(0)
    logits, _ = port.forward(tokens)
    torch.manual_seed(0)
    changed, _ = port.forward(other)
    torch.testing.assert_close(logits[:, :21], changed[:, :21])
    assert not torch.allclose(logits[:, 21:], changed[:, 21:])
    assert logits.shape == (2, 32, 1, K)


def test_nn_lstm_stepped_decodes_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    model, z = MusicVAE(SMALL).eval(), torch.randn(3, SMALL.latent)
    ours = model.decode(z, COMMON_TIME)
    monkeypatch.setattr("musicvae_lite.model.decoder.step", stepped)
    assert torch.equal(model.decode(z, COMMON_TIME), ours)


@pytest.mark.parametrize(("a_round", "calls"), [(0.0, 1), (1e3, 4)])
def test_what_is_compared_runs_in_turns_and_what_is_short_many_times(
    a_round: float, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "A_ROUND", a_round)
    monkeypatch.setattr(figures, "MOST_CALLS", 4)
    order: list[str] = []
    found = timed({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, QUICK)
    assert order == ["a", "b", *(["a"] * calls + ["b"] * calls) * 2]
    assert [len(values) for values in found.values()] == [2, 2]


def test_a_run_prints_a_table_and_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Rows = [Figure("cold", "start", "s", (0.3, 0.1, 0.2)), Ratio("cold", "start: 1 s / ours", 0.9, 1.0)]
    monkeypatch.setitem(benchmark.SECTIONS, "cold", lambda options: rows)
    report = tmp_path / "figures.json"
    done = CliRunner().invoke(benchmark.main, ["--only", "cold", "--json", str(report)], catch_exceptions=False)
    assert "0.9 ×" in done.output
    assert "not reached" in done.output
    written = json.loads(report.read_text())
    assert written["rows"][0]["median"] == 0.2
    assert written["machine"]["threads"] == 1


def test_without_the_original_the_rest_is_printed_and_one_line_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_pip(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "pip", stderr=b"...\nERROR: No matching distribution for magenta\n")

    monkeypatch.setitem(benchmark.SECTIONS, "cold", lambda options: [Figure("cold", "start", "s", (0.3,))])
    monkeypatch.setattr(subprocess, "run", no_pip)
    words = ["--only", "cold", "--with-magenta", "--cache", str(tmp_path)]
    done = CliRunner().invoke(benchmark.main, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "The original could not be timed: ERROR: No matching distribution" in done.output
    assert "0.3" in done.output

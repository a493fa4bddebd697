"""`musicvae export`: a model as ONNX, for programs that are not in Python."""

from __future__ import annotations

from pathlib import Path

import click

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.files import write_bytes
from musicvae_lite.pretrained.registry import DEFAULT

PARTS = ("encoder", "decoder-step")


@click.command()
@click.argument("model", default=DEFAULT)
@click.argument("file", type=click.Path(path_type=Path), default=Path("model.onnx"))
@click.option("--force", is_flag=True, help="Replace files that are there already.")
def export(model: str, file: Path, force: bool) -> None:
    """Write MODEL (a bundled model's name, a file, or a run folder) as ONNX.

    Two files are written, FILE's name with -encoder and with -decoder-step before .onnx, and none unless onnxruntime
    computes the same with them as PyTorch does. How to use them: docs/onnx.md. Needs the extra `onnx`.

    \b
    Examples:
      musicvae export melody-2bar model.onnx
      musicvae export runs/midi midi.onnx --force
    """
    files = [file.with_name(f"{file.stem}-{part}.onnx") for part in PARTS]
    if taken := [str(each) for each in files if each.exists() and not force]:
        raise MusicVAEError(f"{', '.join(taken)}: there already: choose another name, or replace with --force")
    from musicvae_lite.model import onnx
    from musicvae_lite.model.checkpoint import load
    from musicvae_lite.pretrained.registry import resolve

    made = onnx.export(load(resolve(model)).model)
    for path, content in zip(files, (made.encoder, made.decoder_step), strict=True):
        write_bytes(path, content)
        click.echo(f"{path}: {len(content) / 2**20:.1f} MiB")

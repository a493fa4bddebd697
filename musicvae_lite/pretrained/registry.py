"""A name or a path → the model's file."""

from __future__ import annotations

from pathlib import Path

from musicvae_lite.errors import MusicVAEError

FOLDER = Path(__file__).parent
DEFAULT = "melody-2bar"


def names() -> tuple[str, ...]:
    """The models that come with the package, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.safetensors")))


def resolve(model: Path | str) -> Path:
    """The file of a bundled model's name, or the given path of a file or of a run folder; else a `MusicVAEError`."""
    if str(model) in names():
        return FOLDER / f"{model}.safetensors"
    if Path(model).exists():
        return Path(model)
    raise MusicVAEError(
        f"{model}: neither a bundled model ({', '.join(names()) or 'there are none'}) nor a file or run folder: "
        "give one of these names, or the path of a model that `musicvae train` wrote"
    )

"""MusicVAE Lite: a sequence VAE for MIDI music. Two melodies go in; the tunes that lie between them come out.

    MIDI file ─▶ notes ─▶ grid ─▶ tokens ─▶ windows ─▶ encoder ─▶ (μ, σ) ─▶ z ─▶ decoder ─▶ tokens ─▶ notes ─▶ MIDI file
                 music/            tokens/   corpus/    model/                    explore/  model/    tokens/   music/
                                                        (inference/ without torch)

Letters, the same everywhere: B batch, N windows, T steps, V voices, K vocabulary, Z latent, H hidden; and where a tune
or a path is cut: W windows of one tune, S steps of a morph, M candidates for them.

The public names are imported when they are first used, so importing the package imports neither torch nor anything
else that is slow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musicvae_lite.api import Model, load
    from musicvae_lite.corpus.clip import Part
    from musicvae_lite.errors import MidiError, MusicVAEError
    from musicvae_lite.music.midi import from_pretty_midi, read, to_pretty_midi, write
    from musicvae_lite.music.notes import Meter, Note, Notes, Song, Track

_HOMES = {
    "api": ("Model", "load"),
    "corpus.clip": ("Part",),
    "errors": ("MidiError", "MusicVAEError"),
    "music.midi": ("from_pretty_midi", "read", "to_pretty_midi", "write"),
    "music.notes": ("Meter", "Note", "Notes", "Song", "Track"),
}

__all__ = [
    "Meter",
    "MidiError",
    "Model",
    "MusicVAEError",
    "Note",
    "Notes",
    "Part",
    "Song",
    "Track",
    "from_pretty_midi",
    "load",
    "read",
    "to_pretty_midi",
    "write",
]


def __getattr__(name: str) -> Any:
    """The public name, from the module where it lives."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

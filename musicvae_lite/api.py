"""The model as a musician's program sees it: MIDI in, MIDI out. MIDI is a path, a `pretty_midi.PrettyMIDI`, or our
`Song`.

>>> import musicvae_lite
>>> model = musicvae_lite.load("melody-2bar")
>>> tunes = model.interpolate("a.mid", "b.mid", steps=8)  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from musicvae_lite.corpus.clip import Clip, Part, cut_clip
from musicvae_lite.errors import MidiError, MusicVAEError
from musicvae_lite.explore.humanize import Humanized, humanize
from musicvae_lite.explore.humanize import Options as HumanizeOptions
from musicvae_lite.explore.morph import Morph, Options, morph
from musicvae_lite.model.checkpoint import Checkpoint
from musicvae_lite.model.checkpoint import load as load_checkpoint
from musicvae_lite.model.density import Density
from musicvae_lite.model.posterior import Posterior
from musicvae_lite.music.midi import from_pretty_midi, read, to_pretty_midi
from musicvae_lite.music.notes import COMMON_TIME, DEFAULT_QPM, Meter, MeterChange, Song, TempoChange
from musicvae_lite.music.voices import to_tracks
from musicvae_lite.pretrained.registry import DEFAULT, resolve
from musicvae_lite.tokens import Representation, representation

if TYPE_CHECKING:
    from typing import TypeAlias

    from pretty_midi import PrettyMIDI

    Midi: TypeAlias = str | PathLike[str] | PrettyMIDI | Song


@dataclass(frozen=True)
class Model:
    """A trained model. All methods decode at temperature 0 unless told otherwise."""

    checkpoint: Checkpoint

    @property
    def device(self) -> torch.device:
        """Where the weights are, and z with them."""
        return next(self.checkpoint.model.parameters()).device

    @property
    def representation(self) -> Representation:
        """How the model writes music."""
        return representation(self.checkpoint.model.config.representation)

    @property
    def meters(self) -> tuple[Meter, ...]:
        """Those of the windows that the model has learned from; none if it does not say."""
        density = Density.from_tensors(self.checkpoint.extra)
        return density.meters if density else ()

    def clip(self, midi: Midi, part: Part | None = None) -> Clip:
        """The tune of `midi` (or of a part of it) as the model's windows; a `MusicVAEError` if it has none."""
        config = self.checkpoint.model.config
        song, name = _song(midi)
        try:
            return cut_clip(song, self.representation, config.steps_per_quarter, config.bars, part)
        except MidiError:
            raise
        except MusicVAEError as error:
            raise MusicVAEError(f"{name}: {error}") from error

    def encode(self, midi: Midi, part: Part | None = None) -> Posterior:
        """The posterior of each of the tune's windows, one behind the other: mu and sigma [W, Z]."""
        clip = self.clip(midi, part)
        with torch.no_grad():
            return self.checkpoint.model.encode(torch.from_numpy(clip.windows).to(self.device), clip.meter)

    def decode(
        self,
        z: Tensor,
        meter: Meter = COMMON_TIME,
        qpm: float = DEFAULT_QPM,
        program: int = 0,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[PrettyMIDI]:
        """One tune for each row of z [B, Z], in `meter`, at `qpm` quarter notes a minute.

        Every voice that is not drums is played on `program`. `seed` is for a temperature above 0.
        """
        model = self.checkpoint.model
        form = self.representation
        generator = torch.Generator(self.device).manual_seed(seed)
        instruments = [each if each.is_drum else each._replace(program=program) for each in form.INSTRUMENTS]
        tunes = []
        for tokens in model.decode(z.to(self.device, torch.float32), meter, temperature, generator).cpu().numpy():
            tracks = to_tracks(form.decode(tokens), instruments, model.config.steps_per_quarter)
            tunes.append(to_pretty_midi(Song(tracks, (TempoChange(0.0, qpm),), (MeterChange(0.0, meter),))))
        return tunes

    def morph(self, a: Midi | Clip, b: Midi | Clip, options: Options | None = None) -> Morph:
        """Everything about the way from a to b: notes, songs, positions, and how well the ends fit."""
        first, second = (tune if isinstance(tune, Clip) else self.clip(tune) for tune in (a, b))
        return morph(self.checkpoint.model, first, second, options)

    def interpolate(self, a: Midi, b: Midi, steps: int = Options.steps, **options: Any) -> list[PrettyMIDI]:
        """`steps` tunes from a to b, both included; `options` are those of `explore.morph.Options`."""
        result = self.morph(a, b, replace(Options(), steps=steps, **options))
        return [to_pretty_midi(song) for song in result.songs]

    def humanized(self, midi: Midi, options: HumanizeOptions | None = None) -> Humanized:
        """The beat of `midi` as the model plays it: the whole song, and everything about what was changed."""
        song, name = _song(midi)
        try:
            return humanize(self.checkpoint.model, song, options)
        except MusicVAEError as error:
            raise MusicVAEError(f"{name}: {error}") from error

    def humanize(self, midi: Midi, **options: Any) -> PrettyMIDI:
        """`midi` with its beat played as a drummer would; `options` are those of `explore.humanize.Options`.

        What is struck stays, and so does everything else in the song: velocities and timing are the model's.
        """
        return to_pretty_midi(self.humanized(midi, HumanizeOptions(**options)).song)


def load(model: Path | str = DEFAULT, device: str = "cpu") -> Model:
    """A bundled model by name, or one of your own by the path of its file or run folder."""
    return Model(load_checkpoint(resolve(model), device))


def _song(midi: Midi) -> tuple[Song, str]:
    if isinstance(midi, Song):
        return midi, "the song"
    if isinstance(midi, str | PathLike):
        return read(Path(midi)), str(midi)
    return from_pretty_midi(midi), "the PrettyMIDI object"

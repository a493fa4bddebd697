"""The model as a musician's program sees it: MIDI in, MIDI out. MIDI is a path, a `pretty_midi.PrettyMIDI`, or our
`Song`.

>>> import musicvae_lite
>>> model = musicvae_lite.load("melody-2bar")
>>> tunes = model.interpolate("a.mid", "b.mid", steps=8)  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from musicvae_lite.corpus.clip import Clip, Part, cut_clip
from musicvae_lite.errors import MidiError, MusicVAEError
from musicvae_lite.explore.morph import Morph, Options, morph
from musicvae_lite.explore.sample import over
from musicvae_lite.inference import stored
from musicvae_lite.inference.codec import Codec, Posterior
from musicvae_lite.inference.config import Config
from musicvae_lite.inference.density import Density
from musicvae_lite.inference.runtime import Runtime
from musicvae_lite.inference.stored import Arrays
from musicvae_lite.inference.weights import UnknownNetworkError
from musicvae_lite.music.midi import from_pretty_midi, read, to_pretty_midi
from musicvae_lite.music.notes import COMMON_TIME, DEFAULT_QPM, Meter, MeterChange, Song, TempoChange
from musicvae_lite.music.voices import to_tracks
from musicvae_lite.pretrained.registry import DEFAULT, resolve
from musicvae_lite.tokens import Representation, representation

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import ArrayLike
    from pretty_midi import PrettyMIDI

    from musicvae_lite.explore.humanize import Humanized
    from musicvae_lite.explore.humanize import Options as HumanizeOptions
    from musicvae_lite.explore.vary import Options as VaryOptions
    from musicvae_lite.explore.vary import Variations

    Midi: TypeAlias = str | PathLike[str] | PrettyMIDI | Song


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model. All methods decode at temperature 0 unless told otherwise; z are NumPy arrays."""

    codec: Codec
    extra: Arrays = field(default_factory=dict)  # arrays kept with it in its file, by name

    @property
    def config(self) -> Config:
        """Its sizes."""
        return self.codec.config

    @property
    def representation(self) -> Representation:
        """How the model writes music."""
        return representation(self.config.representation)

    @cached_property
    def density(self) -> Density | None:
        """Where the z of the music that it has learned from lie, if it says so."""
        return Density.from_arrays(self.extra)

    @property
    def meters(self) -> tuple[Meter, ...]:
        """Those of the windows that the model has learned from; none if it does not say."""
        return self.density.meters if self.density else ()

    def clip(self, midi: Midi, part: Part | None = None) -> Clip:
        """The tune of `midi` (or of a part of it) as the model's windows; a `MusicVAEError` if it has none."""
        song, name = _song(midi)
        try:
            return cut_clip(song, self.representation, self.config.steps_per_quarter, self.config.bars, part)
        except MidiError:
            raise
        except MusicVAEError as error:
            raise MusicVAEError(f"{name}: {error}") from error

    def encode(self, midi: Midi, part: Part | None = None) -> Posterior:
        """The posterior of each of the tune's windows, one behind the other: mu and sigma [W, Z]."""
        clip = self.clip(midi, part)
        return self.codec.encode(clip.windows, clip.meter)

    def decode(
        self,
        z: ArrayLike,
        meter: Meter = COMMON_TIME,
        qpm: float = DEFAULT_QPM,
        program: int = 0,
        temperature: float = 0.0,
        seed: int = 0,
        chords: str = "",
    ) -> list[PrettyMIDI]:
        """One tune for each row of z [B, Z], an array or a tensor, in `meter`, at `qpm` quarter notes a minute.

        Every voice that is not drums is played on `program`. `seed` is for a temperature above 0. A model that knows
        chords plays over those of `chords`, one a bar, such as "C G Am F"; for any other they are a `MusicVAEError`.
        """
        form, random, rows = self.representation, np.random.default_rng(seed), _array(z)
        given = over(chords, len(rows), meter, self.config)
        instruments = [each if each.is_drum else each._replace(program=program) for each in form.INSTRUMENTS]
        tunes = []
        for tokens in self.codec.decode(rows, meter, temperature, random, given=given):
            tracks = to_tracks(form.decode(tokens), instruments, self.config.steps_per_quarter)
            tunes.append(to_pretty_midi(Song(tracks, (TempoChange(0.0, qpm),), (MeterChange(0.0, meter),))))
        return tunes

    def morph(self, a: Midi | Clip, b: Midi | Clip, options: Options | None = None) -> Morph:
        """Everything about the way from a to b: notes, songs, positions, and how well the ends fit."""
        first, second = (tune if isinstance(tune, Clip) else self.clip(tune) for tune in (a, b))
        return morph(self.codec, first, second, options)

    def interpolate(self, a: Midi, b: Midi, steps: int = Options.steps, **options: Any) -> list[PrettyMIDI]:
        """`steps` tunes from a to b, both included; `options` are those of `explore.morph.Options`."""
        result = self.morph(a, b, replace(Options(), steps=steps, **options))
        return [to_pretty_midi(song) for song in result.songs]

    def variations(self, midi: Midi | Clip, options: VaryOptions | None = None) -> Variations:
        """Everything about variations of a tune: notes, songs, and how much of it each changes."""
        from musicvae_lite.explore.vary import vary

        clip = midi if isinstance(midi, Clip) else self.clip(midi)
        return vary(self.codec, self.density, clip, options)

    def vary(self, midi: Midi, count: int = 8, amount: float = 0.3, **options: Any) -> list[PrettyMIDI]:
        """`count` variations of a tune, `amount` of the way (0 … 1) from it towards new ones; `options` are those of
        `explore.vary.Options`.
        """
        from musicvae_lite.explore.vary import Options as VaryOptions

        return [to_pretty_midi(song) for song in self.variations(midi, VaryOptions(count, amount, **options)).songs]

    def humanized(self, midi: Midi, options: HumanizeOptions | None = None) -> Humanized:
        """The beat of `midi` as the model plays it: the whole song, and everything about what was changed."""
        from musicvae_lite.explore.humanize import humanize

        song, name = _song(midi)
        try:
            return humanize(self.codec, song, options)
        except MusicVAEError as error:
            raise MusicVAEError(f"{name}: {error}") from error

    def humanize(self, midi: Midi, **options: Any) -> PrettyMIDI:
        """`midi` with its beat played as a drummer would; `options` are those of `explore.humanize.Options`.

        What is struck stays, and so does everything else in the song: velocities and timing are the model's.
        """
        from musicvae_lite.explore.humanize import Options as HumanizeOptions

        return to_pretty_midi(self.humanized(midi, HumanizeOptions(**options)).song)


def load(model: Path | str = DEFAULT, device: str = "cpu") -> Model:
    """A bundled model by name, or one of your own by the path of its file or run folder.

    On the CPU NumPy does the work; on another device, or for a network that is not known there, PyTorch.
    """
    path = resolve(model)
    if device == "cpu":
        found = stored.load(path)
        try:
            return Model(Runtime(found.config, found.weights), found.extra)
        except UnknownNetworkError:
            pass
    return _with_torch(path, device)


def _with_torch(path: Path, device: str) -> Model:
    from musicvae_lite.model.checkpoint import load as load_checkpoint
    from musicvae_lite.model.codec import TorchCodec

    checkpoint = load_checkpoint(path, device)
    return Model(TorchCodec(checkpoint.model), {name: each.cpu().numpy() for name, each in checkpoint.extra.items()})


def _array(z: ArrayLike) -> NDArray[np.float32]:
    """z in single precision; a tensor without its gradient, wherever it is."""
    detached: Any = z.detach().cpu() if hasattr(z, "detach") else z
    return np.asarray(detached, np.float32)


def _song(midi: Midi) -> tuple[Song, str]:
    if isinstance(midi, Song):
        return midi, "the song"
    if isinstance(midi, str | PathLike):
        return read(Path(midi)), str(midi)
    return from_pretty_midi(midi), "the PrettyMIDI object"

"""POP909 as it is published → the same songs on a grid of sixteenths, with bar lines, as MIDI files to train on.

    python scripts/quantise_pop909.py POP909-Dataset/POP909 pop909/

In: the folder of POP909 (Wang et al., ISMIR 2020; github music-x-lab/POP909-Dataset, MIT) with `NNN/NNN.mid` and
`NNN/beat_midi.txt`, whose lines are "seconds, (a finer mark), 1.0 on a downbeat". As published, 81 % of the onsets are
off the grid, because the tempo in the files is not that of the music. Out: `NNN.mid`, in which beat k is at quarter
note k (after the first downbeat), every time is rounded to a sixteenth, and the meter is 4/4. Songs whose bars do not
have four beats are left out and named.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from musicvae_lite.errors import MusicVAEError
from musicvae_lite.music.grid import STEPS_PER_QUARTER, dequantize, quantize
from musicvae_lite.music.midi import read, write
from musicvae_lite.music.notes import Notes, Song, Track
from musicvae_lite.music.tempo import seconds_at

BEATS_A_BAR = 4


def on_the_grid(song: Song, beats: NDArray[np.float64], downbeats: NDArray[np.bool_]) -> Song:
    """The song in 4/4, `beats` (seconds) a quarter note apart; a `MusicVAEError` if its bars have not four beats."""
    marked = np.flatnonzero(downbeats)
    if len(marked) < 2 or np.median(np.diff(marked)) != BEATS_A_BAR:
        raise MusicVAEError("its bars do not have four beats")
    # An upbeat gets a bar of its own, so that every downbeat is at a bar line.
    quarters = np.arange(len(beats), dtype=np.float64) + (-int(marked[0])) % BEATS_A_BAR
    tracks = (_moved(track, song, beats, quarters) for track in song.tracks)
    return Song(tuple(track for track in tracks if len(track.notes)))


def convert(source: Path, out: Path) -> list[str]:
    """Write every song below `source` into `out`; the lines say which were left out and why."""
    left_out = []
    out.mkdir(parents=True, exist_ok=True)
    for beats_file in sorted(source.glob("*/beat_midi.txt")):
        name = beats_file.parent.name
        try:
            table = np.loadtxt(beats_file, ndmin=2)
            song = on_the_grid(read(beats_file.parent / f"{name}.mid"), table[:, 0], table[:, 2] > 0)
            write(song, out / f"{name}.mid")
        except (MusicVAEError, ValueError) as error:
            left_out.append(f"{name}: {error}")
    return left_out


def _moved(track: Track, song: Song, beats: NDArray[np.float64], quarters: NDArray[np.float64]) -> Track:
    """A track with its times in beats, rounded to sixteenths; notes before the first beat are cut."""
    seconds = (seconds_at(times, song.tempos) for times in (track.notes.start, track.notes.end))
    start, end = (_to_quarters(times, beats, quarters) for times in seconds)
    inside = (end > 0) & (end > start)
    notes = Notes(track.notes.pitch, track.notes.velocity, np.maximum(start, 0), end).select(inside)
    gridded = dequantize(quantize(notes, STEPS_PER_QUARTER).on_the_grid(), STEPS_PER_QUARTER)
    return Track(gridded, track.name, track.program, track.is_drum)


def _to_quarters(
    seconds: NDArray[np.float64], beats: NDArray[np.float64], quarters: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Between beats in proportion; before the first and after the last at the pace of the nearest beat."""
    inside = np.interp(seconds, beats, quarters)
    before = quarters[0] + (seconds - beats[0]) / (beats[1] - beats[0])
    after = quarters[-1] + (seconds - beats[-1]) / (beats[-1] - beats[-2])
    return np.where(seconds < beats[0], before, np.where(seconds > beats[-1], after, inside))


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
def main(source: Path, out: Path) -> None:
    """Put the songs of POP909 (SOURCE/NNN/NNN.mid and beat_midi.txt) on a grid, into OUT/NNN.mid."""
    left_out = convert(source, out)
    for line in left_out:
        click.echo(f"left out  {line}")
    click.echo(f"{out}/: {len(list(out.glob('*.mid')))} songs, {len(left_out)} left out")


if __name__ == "__main__":
    main()

"""MIDI files ↔ notes in quarter notes ↔ notes in steps of a grid. NumPy only: reading music never loads torch.

midi.py         file ↔ Song, and pretty_midi ↔ Song
notes.py        what a Song is: tracks of notes in quarter notes, tempo map, meter map
tempo.py        quarter notes → seconds by the tempo map
melody_line.py  Song → which track is the tune, as a line of single notes
drum_tracks.py  Song → its drums, all tracks of them as one part
voices.py       what a representation takes of a song ↔ notes on the grid ↔ tracks
grid.py         quarter notes ↔ steps, bars, how much lies off the grid
descriptors.py  steps → density, syncopation, … of a line
"""

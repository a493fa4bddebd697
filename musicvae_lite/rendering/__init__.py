"""Songs and notes made visible and audible; needs nothing of the model.

audio.py      Song → samples → WAV: an additive synthesizer
timbres.py    what the 128 programs and the drums sound like: tables
pianoroll.py  notes on the grid → PNG: a morph as a column of piano rolls
curves.py     rows of measurements → PNG: how a training went
figures.py    what the pictures share: size, colours, PNG
files.py      bytes → file, complete or not at all
"""

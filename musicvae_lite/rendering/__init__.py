"""Songs and notes made visible and audible; needs nothing of the model.

audio.py      Song → samples → WAV: an additive synthesizer
timbres.py    what the 128 programs and the drums sound like: tables
pianoroll.py  notes on the grid → PNG: a morph as a column of piano rolls
canvas.py     rectangles and text → pixels; font.py: text → outlines → pixels; png.py: pixels → PNG
curves.py     rows of measurements → PNG: how a training went
figures.py    what Matplotlib's pictures share: size, PNG; and everybody's colours
files.py      bytes → file, complete or not at all
"""

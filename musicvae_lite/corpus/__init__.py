"""A folder of MIDI files → windows of tokens, split by tune, kept on disk. NumPy only: no torch.

prepare.py  the whole way: folder → Corpus                scan.py     one file → a Piece with its windows, or a reason
windows.py  tokens and bars → windows                     pool.py     many files, all cores, a time limit for each
splits.py   which tunes are held out, equal windows       store.py    Corpus ↔ disk
report.py   what was found, in numbers
"""

"""A folder of MIDI files → windows of tokens, split by tune, kept on disk. NumPy only: no torch.

prepare.py  the whole way: folder → Corpus                scan.py     one file → a Piece with its windows, or a reason
windows.py  tokens and bars → windows                     pool.py     many files, all cores, a time limit for each
splits.py   which tunes are held out, equal windows       store.py    Corpus ↔ disk
report.py   what was found, in numbers
"""

from musicvae_lite.corpus.prepare import prepare
from musicvae_lite.corpus.report import Report
from musicvae_lite.corpus.scan import Piece, Progress, Settings
from musicvae_lite.corpus.store import Corpus
from musicvae_lite.corpus.windows import Windows

__all__ = ["Corpus", "Piece", "Progress", "Report", "Settings", "Windows", "prepare"]

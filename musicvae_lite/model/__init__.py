"""Tokens → posterior → z → tokens, to be trained, in PyTorch. `codec.py` gives it a face of arrays."""

"""Tokens → posterior → z → tokens, to be trained: torch from here down. `codec.py` gives it a face of arrays."""

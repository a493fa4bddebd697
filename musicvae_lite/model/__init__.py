"""Tokens → posterior → z → tokens. Torch from here down."""

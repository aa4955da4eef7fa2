"""Hops of ITU-R BS.1770, which balance and mastering share."""

HOP = 0.1  # seconds: a quarter of a gating block of BS.1770

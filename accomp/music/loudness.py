"""The time step in which loudness is measured (ITU-R BS.1770)."""

HOP = 0.1  # seconds: a quarter of a gating block of BS.1770

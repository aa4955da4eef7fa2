"""Measure bands, melodies, latent spaces and transcriptions, and report the figures."""

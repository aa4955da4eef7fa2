"""Sample rates of sound, in Hz."""

SAMPLE_RATE = 44_100  # of all sound that is made or mixed
LISTEN_RATE = 16_000  # of recordings to be transcribed: pitch trackers of singing expect it

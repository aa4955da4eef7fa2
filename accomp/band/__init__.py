"""From a melody to a band, in the order in which it happens: see `Accompanist.sketch`."""

"""Train each network of accomp: one command each, all with the loop of `train.fit.loop`."""

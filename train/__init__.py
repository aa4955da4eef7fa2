"""Make the models of accomp: prepare songs, train, measure, publish; see `python -m train`."""

"""Songs to learn from: collections read, prepared as a corpus, and cut into examples."""

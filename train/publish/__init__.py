"""Put models, the demo and the prepared blocks on the Hugging Face Hub."""

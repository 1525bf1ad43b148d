"""What one network hands to the next: its embeddings, and the graph drawn from them."""

"""Collections of pictures with random access."""

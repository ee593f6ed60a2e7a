"""Super-resolution networks, one architecture a file."""

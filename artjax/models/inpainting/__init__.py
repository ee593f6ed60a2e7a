"""Published networks that fill holes, one architecture a file."""

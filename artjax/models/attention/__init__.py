"""Networks of window attention, one architecture a file."""

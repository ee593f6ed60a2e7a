"""Networks of attention, one architecture a file."""

"""Tasks: what a generator sees of a batch and what its output stands for."""

"""Discriminators, one architecture a file: what generators learn to please."""

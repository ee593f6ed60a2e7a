"""Discriminators, one architecture a file."""

"""Datasets of sub-images, prepared once and read fast."""

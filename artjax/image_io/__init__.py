"""Reads and writes picture files with depth, profile and metadata."""

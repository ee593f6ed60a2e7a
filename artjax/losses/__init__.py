"""Losses by name, and their weighted sum."""

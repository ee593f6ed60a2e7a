"""Degradations: known ways in which pictures age and are damaged."""

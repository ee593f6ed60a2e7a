"""Masks that a network finds; masks and hints that users give."""

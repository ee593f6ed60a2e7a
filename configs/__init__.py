"""Configurations: one file a task, each a set of overrides of common.py."""

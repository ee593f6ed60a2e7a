"""Configurations: one file a task, each a set of overrides of artjax/config.py."""

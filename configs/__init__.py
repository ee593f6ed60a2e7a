"""Configurations: overrides of artjax/config.py, one file a task."""

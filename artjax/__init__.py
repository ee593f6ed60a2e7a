"""artjax: age a clean picture in a known way, learn to undo it."""

__version__ = '0.2.0'

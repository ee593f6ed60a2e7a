"""artjax: age a clean picture in a known way, learn to undo it."""

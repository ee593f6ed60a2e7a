"""Local damage with masks."""

"""Metrics of published papers that model perception."""

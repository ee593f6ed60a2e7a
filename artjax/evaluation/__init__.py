"""Evaluators, metrics, baselines and reports."""

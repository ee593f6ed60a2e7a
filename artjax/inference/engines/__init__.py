"""Engines: what computes a network on tiles, besides JAX."""

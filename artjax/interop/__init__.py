"""Weights in files: our own, published ones, ONNX."""

"""Turns JAX functions of fixed shapes into ONNX graphs."""

"""Networks that predict a transform of the picture, from a small copy of it."""

"""Networks, one architecture a file; `lookup` finds them by module name.

Every model is a linen module called as `(x, *, train=False, context=None)`:
x is float [B, H, W, C] in [0, 1], any H and W; the result is float32
[B, H * scale, W * scale, 3]. `dtype` is the compute dtype, parameters stay
float32. `context` is the whole picture when x is a tile of it; models that
look at x alone accept and ignore it.
"""

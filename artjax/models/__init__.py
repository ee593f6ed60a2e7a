"""Networks, one architecture a file; `registry` finds them by module name.

Every model is a linen module called as `(x, *, train=False, context=None)`:
x is float [B, H, W, C] in [0, 1], any H and W; the result is float32
[B, H * scale, W * scale, 3]. `dtype` is the compute dtype, parameters stay
float32. `context` is the whole picture when x is a tile of it; models that
look at x alone accept and ignore it.

Discriminators are called as `(x, *, train=False)` and return (logits,
activations): float32 [B, h, w, 1] or [B, 1], and a tuple of [B, h, w, C] of the
compute dtype, finest first, for feature matching.

Batch norm and spectral norm keep their state in the collection 'batch_stats'.
train=True renews it: `apply` it with mutable=['batch_stats'], and inside of
`distributed.map_step`, or without devices to share with, axis_name=None.
"""

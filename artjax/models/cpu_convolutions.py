"""Convolutions that are fast on a CPU, as are their gradients.

XLA's own are many times slower there in the cases that the functions name. All
arrays are NHWC.
"""

import functools

import jax
import jax.numpy as jnp

_BLOCK = 2048  # px of a block, see _products


def _shifts(x):
  """Nine shifted copies of x [B, H, W, C], one for each tap, zero padded."""
  height, width = x.shape[1:3]
  padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  return [
    padded[:, dy : dy + height, dx : dx + width]
    for dy in range(3)
    for dx in range(3)
  ]


@jax.custom_vjp
def depthwise3x3(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Depthwise 3x3 convolution, zero padding, as nine shifted multiply-adds.

  XLA's grouped convolution is 40 times slower on the CPU. For the gradient of
  the kernel see `_depthwise_kernel_gradient`.

  Args:
    x: [B, H, W, C].
    kernel: [3, 3, C], of the same dtype.

  Returns:
    [B, H, W, C].
  """
  taps = kernel.reshape(9, 1, 1, 1, kernel.shape[-1])
  return sum(shift * tap for shift, tap in zip(_shifts(x), taps))


def _depthwise3x3_forward(x, kernel):
  return depthwise3x3(x, kernel), (x, kernel)


def _depthwise3x3_backward(saved, cotangent):
  x, kernel = saved
  # Without it XLA recomputes these for each of the nine taps.
  x, cotangent = jax.lax.optimization_barrier((x, cotangent))
  gradient = jax.lax.platform_dependent(
    x,
    cotangent,
    cpu=_depthwise_kernel_gradient,
    default=lambda x, cotangent: jnp.stack(
      [
        (shift * cotangent).astype(jnp.float32).sum((0, 1, 2))
        for shift in _shifts(x)
      ]
    ).reshape(kernel.shape),
  )
  return (
    depthwise3x3(cotangent, kernel[::-1, ::-1]),
    gradient.astype(kernel.dtype),
  )


def _depthwise_kernel_gradient(x, cotangent):
  """f32[3, 3, C], the gradient of the kernel, a row of pixels at a time.

  The partial sums of the nine taps, a row of pixels each, stay in the cache,
  and XLA vectorizes the additions. Reductions over all pixels take 4 times as
  long (64 x 64 px, 96 channels), and up to 20 times within a network, where XLA
  recomputes their inputs for each tap.
  """
  batch, height, width, channels = x.shape
  x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))

  def add(i, totals):
    start = i // height, i % height, 0, 0
    seen = jax.lax.dynamic_slice(x, start, (1, 3, width + 2, channels))[0]
    row = jax.lax.dynamic_slice(cotangent, start, (1, 1, width, channels))[0]
    return [
      # Sums over many pixels: in float32, whatever the dtype of the products.
      total + (seen[:, dx : dx + width] * row).astype(jnp.float32)
      for dx, total in enumerate(totals)
    ]

  totals = jax.lax.fori_loop(
    0, batch * height, add, [jnp.zeros((3, width, channels), jnp.float32)] * 3
  )
  return jnp.stack([total.sum(1) for total in totals], 1)


depthwise3x3.defvjp(_depthwise3x3_forward, _depthwise3x3_backward)


def _same_conv3x3(x, kernel, dilation):
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (1, 1),
    ((dilation, dilation),) * 2,
    rhs_dilation=(dilation, dilation),
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv3x3(x: jax.Array, kernel: jax.Array, dilation: int = 1) -> jax.Array:
  """3x3 convolution, zero padding, whose gradient is fast on a CPU.

  There XLA's own gradient of the kernel takes two to six times as long as three
  matrix products, depending on memory bandwidth; within a loop, as under
  `nn.scan`, 30 times as long.

  Args:
    x: [B, H, W, C].
    kernel: [3, 3, C, D], of the same dtype.
    dilation: distance between taps, px.

  Returns:
    [B, H, W, D].
  """
  return _same_conv3x3(x, kernel, dilation)


def _conv3x3_forward(x, kernel, dilation):
  return _same_conv3x3(x, kernel, dilation), (x, kernel)


def _conv3x3_backward(dilation, saved, cotangent):
  x, kernel = saved
  turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
  return (
    _same_conv3x3(cotangent, turned, dilation),
    _kernel_gradient(x, kernel, cotangent, dilation),
  )


def _kernel_gradient(x, kernel, cotangent, dilation):
  """[3, 3, C, D] from [B, H, W, C] and [B, H, W, D], by platform."""
  return jax.lax.platform_dependent(
    x,
    cotangent,
    cpu=lambda x, cotangent: _products(x, cotangent, dilation).astype(
      kernel.dtype
    ),
    default=lambda x, cotangent: jax.vjp(
      lambda kernel: _same_conv3x3(x, kernel, dilation), kernel
    )[1](cotangent)[0],
  )


def _products(x, cotangent, dilation):
  """f32[3, 3, C, D], the gradient of the kernel, by matrix products.

  One product handles the three columns of a row of taps, with three shifted
  copies of the cotangent as its columns. It runs over blocks of rows, so that
  the data it reads again is still in the cache.
  """
  batch, height, width, features = cotangent.shape
  rows = min(height, max(1, _BLOCK // width))
  blocks = -(-height // rows)
  below = blocks * rows - height  # rows of zeros
  x = jnp.pad(x, ((0, 0), (dilation, dilation + below), (0, 0), (0, 0)))
  cotangent = jnp.pad(
    cotangent, ((0, 0), (0, below), (dilation, dilation), (0, 0))
  )

  def add(i, total):
    start = i // blocks, i % blocks * rows, 0, 0
    seen = jax.lax.dynamic_slice(
      x, start, (1, rows + 2 * dilation, *x.shape[2:])
    )[0]
    changed = jax.lax.dynamic_slice(
      cotangent, start, (1, rows, *cotangent.shape[2:])
    )[0]
    changed = jnp.concatenate(
      [
        changed[:, column * dilation : column * dilation + width]
        for column in (2, 1, 0)
      ],
      -1,
    ).reshape(-1, 3 * features)
    return total + jnp.stack(
      [
        jnp.matmul(
          seen[row * dilation : row * dilation + rows]
          .reshape(-1, x.shape[-1])
          .T,
          changed,
          preferred_element_type=jnp.float32,
        )
        for row in range(3)
      ]
    )

  total = jax.lax.fori_loop(
    0,
    batch * blocks,
    add,
    jnp.zeros((3, x.shape[-1], 3 * features), jnp.float32),
  )
  return total.reshape(3, -1, 3, features).transpose(0, 2, 1, 3)


conv3x3.defvjp(_conv3x3_forward, _conv3x3_backward)


def _valid_conv3x3(x, kernel, strides):
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (strides, strides),
    'VALID',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def valid_conv3x3(
  x: jax.Array, kernel: jax.Array, strides: int = 1
) -> jax.Array:
  """3x3 convolution without padding, in forms that are fast on a CPU.

  There XLA takes 2.5 times as long without padding as with it (256 x 256 px,
  128 channels), and for the gradient of the kernel 4.6 times as long as nine
  matrix products.

  Args:
    x: [B, H, W, C].
    kernel: [3, 3, C, D], of the same dtype.
    strides: 1 or 2.

  Returns:
    [B, (H - 3) // strides + 1, (W - 3) // strides + 1, D].
  """
  if strides == 1:
    return _same_conv3x3(x, kernel, 1)[:, 1:-1, 1:-1]
  return _valid_conv3x3(x, kernel, strides)


def _valid_conv3x3_forward(x, kernel, strides):
  return valid_conv3x3(x, kernel, strides), (x, kernel)


def _valid_conv3x3_backward(strides, saved, cotangent):
  if strides == 1:
    # Padded with zeros it is the cotangent of a padded convolution.
    return _conv3x3_backward(
      1, saved, jnp.pad(cotangent, ((0, 0), (1, 1), (1, 1), (0, 0)))
    )
  x, kernel = saved
  _, transposed = jax.vjp(lambda x: _valid_conv3x3(x, kernel, strides), x)
  height, width, features = cotangent.shape[1:]
  flat = cotangent.reshape(-1, features)
  taps = [
    x[
      :,
      dy : dy + strides * height : strides,
      dx : dx + strides * width : strides,
    ]
    .reshape(-1, x.shape[-1])
    .T
    @ flat
    for dy in range(3)
    for dx in range(3)
  ]
  return transposed(cotangent)[0], jnp.stack(taps).reshape(kernel.shape)


valid_conv3x3.defvjp(_valid_conv3x3_forward, _valid_conv3x3_backward)


def _same_conv(x, kernel):
  around = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x,
    kernel,
    (1, 1),
    ((around, around),) * 2,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )


@jax.custom_vjp
def large_conv(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Convolution with a large kernel, zero padding.

  Its gradients are convolutions in the layout that XLA runs fast on a CPU
  within a loop too, as under `nn.scan`. There its own take ten times as long
  (17 x 17 taps, 4 pictures of 32 x 32 px, 16 channels).

  Args:
    x: [B, H, W, C].
    kernel: [K, K, C, D], K odd, of the same dtype.

  Returns:
    [B, H, W, D].
  """
  return _same_conv(x, kernel)


def _large_conv_forward(x, kernel):
  return _same_conv(x, kernel), (x, kernel)


def _large_conv_backward(saved, cotangent):
  x, kernel = saved
  around = kernel.shape[0] // 2
  # The pictures of the batch are the channels that are summed over.
  gradient = jax.lax.conv_general_dilated(
    x.transpose(3, 1, 2, 0),
    cotangent.transpose(1, 2, 0, 3),
    (1, 1),
    ((around, around),) * 2,
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
  )
  turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
  return _same_conv(cotangent, turned), gradient.transpose(1, 2, 0, 3)


large_conv.defvjp(_large_conv_forward, _large_conv_backward)

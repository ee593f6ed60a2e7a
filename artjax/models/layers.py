"""Building blocks that several networks share. All arrays are NHWC."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from artjax.models import cpu_convolutions

# Halves both sides, rounding down as PyTorch does; SAME would round up.
Conv4x4Down = functools.partial(
  nn.Conv, kernel_size=(4, 4), strides=(2, 2), padding=(1, 1)
)
# PyTorch's defaults; its momentum is 1 - 0.9. (Its running variance is the
# unbiased one, larger by n / (n - 1).)
BatchNorm = functools.partial(nn.BatchNorm, momentum=0.9, epsilon=1e-5)


def leaky_relu(x: jax.Array) -> jax.Array:
  """LeakyReLU of slope 0.2, as usual in adversarial networks."""
  return nn.leaky_relu(x, 0.2)


def pixel_unshuffle(x: jax.Array, scale: int) -> jax.Array:
  """[B, H * s, W * s, C] -> [B, H, W, C * s * s], s = scale.

  Channel c * s * s + dy * s + dx holds channel c of offset (dy, dx), the
  order of torch.nn.PixelUnshuffle.
  """
  batch, height, width, channels = x.shape
  x = x.reshape(batch, height // scale, scale, width // scale, scale, channels)
  x = x.transpose(0, 1, 3, 5, 2, 4)  # [B, H, W, C, s, s]
  return x.reshape(
    batch, height // scale, width // scale, channels * scale * scale
  )


def pixel_shuffle(x: jax.Array, scale: int) -> jax.Array:
  """[B, H, W, C * s * s] -> [B, H * s, W * s, C]: undoes pixel_unshuffle."""
  batch, height, width, channels = x.shape
  x = x.reshape(batch, height, width, channels // scale**2, scale, scale)
  x = x.transpose(0, 1, 4, 2, 5, 3)  # [B, H, s, W, s, C]
  return x.reshape(batch, height * scale, width * scale, channels // scale**2)


def downsample2(x: jax.Array) -> jax.Array:
  """[B, 2H, 2W, C] -> [B, H, W, C], bilinear: the mean of each 2x2 square."""
  batch, height, width, channels = x.shape
  x = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
  return x.mean(axis=(2, 4))


def _upsample(x, axis, scale):
  """Bilinear along one axis; pixel centres at halves, edges repeated."""
  size = x.shape[axis]
  take = functools.partial(jax.lax.slice_in_dim, x, axis=axis)
  before = jnp.concatenate([take(0, 1), take(0, size - 1)], axis)
  after = jnp.concatenate([take(1, size), take(size - 1, size)], axis)
  out = []
  for i in range(scale):
    offset = (i + 0.5) / scale - 0.5  # from the centre of the coarse pixel
    near = after if offset > 0 else before
    out.append((1 - abs(offset)) * x + abs(offset) * near)
  return jnp.stack(out, axis + 1).reshape(
    x.shape[:axis] + (scale * size,) + x.shape[axis + 1 :]
  )


def upsample(x: jax.Array, scale: int) -> jax.Array:
  """[B, H, W, C] -> [B, H * scale, W * scale, C], bilinear.

  Equals jax.image.resize(..., 'bilinear') without its matrix products over H
  and W.
  """
  return _upsample(_upsample(x, 1, scale), 2, scale)


def pad_to_multiple(
  x: jax.Array, multiple: int, mode: str = 'reflect'
) -> jax.Array:
  """Pads [B, H, W, C] at the bottom and right to a multiple.

  Args:
    x: the pictures.
    multiple: of the padded height and width, px.
    mode: of jnp.pad: 'reflect', 'edge', or 'constant' for zeros.
  """
  height, width = x.shape[1:3]
  bottom, right = -height % multiple, -width % multiple
  if not bottom and not right:
    return x
  for axis, extra in ((1, bottom), (2, right)):
    pads = [(0, 0)] * 4
    pads[axis] = (0, extra)
    # A single row cannot be reflected.
    alone = mode == 'reflect' and x.shape[axis] == 1
    x = jnp.pad(x, pads, mode='edge' if alone else mode)
  return x


_EPSILON = 1e-6  # of normalize


@jax.custom_vjp
def normalize(x):
  """[..., C] -> the same shape, of mean 0 and variance 1 over the channels.

  `nn.LayerNorm` without scale and bias. The next layer applies these, see
  `Dense`, so that their gradients are not sums over pixels. The barriers keep
  XLA's CPU code from recomputing the means for each channel. Together both
  halve the time of a gradient.
  """
  return _normalize_forward(x)[0]


def _normalize_forward(x):
  dtype, x = x.dtype, x.astype(jnp.float32)
  mean = x.mean(-1, keepdims=True)
  variance = jnp.square(x - mean).mean(-1, keepdims=True)
  mean, factor = jax.lax.optimization_barrier(
    (mean, jax.lax.rsqrt(variance + _EPSILON))
  )
  y = ((x - mean) * factor).astype(dtype)
  return jax.lax.optimization_barrier(y), (y, factor)


def _normalize_backward(saved, cotangent):
  y, factor = saved
  dtype = y.dtype
  cotangent = jax.lax.optimization_barrier(cotangent).astype(jnp.float32)
  y = y.astype(jnp.float32)
  mean, along = jax.lax.optimization_barrier(
    (cotangent.mean(-1, keepdims=True), (cotangent * y).mean(-1, keepdims=True))
  )
  return (((cotangent - mean - y * along) * factor).astype(dtype),)


normalize.defvjp(_normalize_forward, _normalize_backward)


class Affine(nn.Module):
  """Scale and bias of a norm, named as in `nn.LayerNorm`."""

  @nn.compact
  def __call__(self, channels):
    """(scale, bias), f32[channels] each."""
    return (
      self.param('scale', nn.initializers.ones, (channels,)),
      self.param('bias', nn.initializers.zeros, (channels,)),
    )


class Dense(nn.Module):
  """A 1x1 convolution, as `nn.Dense`, with scaling before and after it.

  The kernel is scaled in place of the input or output, which are much larger:
  on a CPU this takes 5 ms, `nn.Dense(...)(x) * after` 14 ms (8 pictures of
  64 x 64 px, 48 channels). Pixels are flattened to one axis; otherwise XLA
  takes 1.6 times as long for the gradient.
  """

  features: int
  use_bias: bool = True
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x, *, before=None, after=None):
    """[..., C] -> [..., features].

    Args:
      x: any number of axes.
      before: (scale, bias), f32[C] each: the input is x * scale + bias.
      after: f32[features], a factor of the output.
    """
    kernel = self.param(
      'kernel', nn.initializers.lecun_normal(), (x.shape[-1], self.features)
    )
    bias = None
    if self.use_bias:
      bias = self.param('bias', nn.initializers.zeros, (self.features,))
    if before is not None:
      shift = before[1] @ kernel
      bias = shift if bias is None else bias + shift
      kernel = before[0][:, None] * kernel
    if after is not None:
      kernel = kernel * after[None]
      bias = None if bias is None else bias * after
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
    y = x.reshape(-1, x.shape[-1]) @ kernel
    if bias is not None:
      y = y + bias[None]
    return y.reshape(*x.shape[:-1], self.features)


class DepthwiseConv3x3(nn.Module):
  """Depthwise 3x3 convolution, zero padding."""

  use_bias: bool = True
  dtype: jnp.dtype = jnp.float32

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] -> the same shape."""
    channels = x.shape[-1]
    # Fan-in is 9: each output depends on one channel of a 3x3 window.
    kernel = self.param(
      'kernel',
      nn.initializers.lecun_normal(in_axis=(0, 1), out_axis=2),
      (3, 3, channels),
    )
    bias = None
    if self.use_bias:
      bias = self.param('bias', nn.initializers.zeros, (channels,))
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
    y = cpu_convolutions.depthwise3x3(x, kernel)
    return y if bias is None else y + bias.reshape(1, 1, 1, channels)


def upsample_nearest(x: jax.Array, scale: int) -> jax.Array:
  """[B, H, W, C] -> [B, H * scale, W * scale, C], each pixel repeated."""
  return x.repeat(scale, axis=1).repeat(scale, axis=2)


def _conv(x, kernel, strides, padding, *, rhs_dilation, **options):
  """`jax.lax.conv_general_dilated` of a 3x3 kernel, as nn.Conv calls it."""
  usual = options['feature_group_count'] == 1 and options['precision'] is None
  if (
    usual
    and padding == 'SAME'
    and strides == (1, 1)
    and len(set(rhs_dilation)) == 1
  ):
    return cpu_convolutions.conv3x3(x, kernel, rhs_dilation[0])
  return jax.lax.conv_general_dilated(
    x, kernel, strides, padding, rhs_dilation=rhs_dilation, **options
  )


Conv3x3 = functools.partial(
  nn.Conv, kernel_size=(3, 3), padding='SAME', conv_general_dilated=_conv
)


class ReflectConv3x3(nn.Module):
  """3x3 convolution with reflection padding."""

  features: int
  strides: int = 1
  use_bias: bool = True
  dtype: jnp.dtype = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[B, H, W, C] of even sides -> [B, H / strides, W / strides, features]."""
    kernel = self.param(
      'kernel', self.kernel_init, (3, 3, x.shape[-1], self.features)
    )
    bias = None
    if self.use_bias:
      bias = self.param('bias', nn.initializers.zeros, (self.features,))
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode='reflect')
    y = cpu_convolutions.valid_conv3x3(x, kernel, self.strides)
    return y if bias is None else y + bias.reshape(1, 1, 1, -1)


class PReLU(nn.Module):
  """max(x, 0) + slope * min(x, 0), with a learned slope for each channel."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """[..., C] -> the same shape and dtype."""
    slope = self.param('slope', nn.initializers.constant(0.25), x.shape[-1:])
    slope = slope.astype(x.dtype).reshape((1,) * (x.ndim - 1) + (-1,))
    return jnp.where(x > 0, x, slope * x)


def _unit(x):
  return x / jnp.maximum(jnp.linalg.norm(x), 1e-12)


def _power_iteration(matrix, u):
  """A step towards the first singular vectors of [M, N]: u [M], v [N]."""
  v = _unit(u @ matrix)
  return _unit(matrix @ v), v


class SpectralConv(nn.Module):
  """Convolution with spectral normalization, as PyTorch computes it.

  https://arxiv.org/abs/1802.05957: the kernel, reshaped to a matrix [features,
  rest], is divided by its largest singular value. 'batch_stats' holds estimates
  of the first singular vectors, u [features] and v [rest]. With train=True one
  power iteration updates them. The singular value is u^T W v of the current
  kernel W, so gradients flow through it.

  nn.SpectralNorm stores only u and therefore iterates with train=False too,
  which gives a network other than the trained one and than PyTorch's.
  """

  features: int
  kernel_size: tuple[int, int] = (3, 3)
  strides: int = 1
  padding: int = 1
  use_bias: bool = True
  dtype: jnp.dtype = jnp.float32
  kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
    """[B, H, W, C] -> [B, h, w, features]."""
    kernel = self.param(
      'kernel',
      self.kernel_init,
      (*self.kernel_size, x.shape[-1], self.features),
    )
    matrix = kernel.reshape(-1, self.features).T
    frozen = jax.lax.stop_gradient(matrix)

    # Enough that the normalization is about right before the first step.
    u = self.variable(
      'batch_stats',
      'u',
      lambda: jax.lax.fori_loop(
        0,
        15,
        lambda _, u: _power_iteration(frozen, u)[0],
        jax.random.normal(self.make_rng('params'), matrix.shape[:1]),
      ),
    )
    v = self.variable('batch_stats', 'v', lambda: _unit(u.value @ frozen))
    if train and not self.is_initializing():
      u.value, v.value = _power_iteration(frozen, u.value)
    sigma = u.value @ matrix @ v.value
    kernel = (kernel / sigma).astype(self.dtype)
    y = jax.lax.conv_general_dilated(
      x.astype(self.dtype),
      kernel,
      (self.strides,) * 2,
      ((self.padding,) * 2,) * 2,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    )
    if not self.use_bias:
      return y
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    return y + bias.astype(self.dtype).reshape(1, 1, 1, self.features)

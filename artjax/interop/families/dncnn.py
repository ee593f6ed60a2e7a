"""DnCNN, FDnCNN and FFDNet with KAIR's names: numbered layers.

https://github.com/cszn/KAIR.
"""

import numpy as np

from artjax.interop.families import family

_EPSILON = 1e-4  # of its batch norms


def _unify(tensors):
  """Merges batch norms into the convolutions before them.

  With norms, convolutions are numbered 0, 2, 5, 8, ... and norms 3, 6, ...;
  without, convolutions are 0, 2, 4, 6, ...
  """
  if 'model.3.running_var' not in tensors:
    return tensors
  last = family.count(tensors, r'model\.(\d+)\.') - 1
  found = {n: v for n, v in tensors.items() if not n.startswith('model.')}
  number = 0
  for layer in (0, *range(2, last + 1, 3)):
    weight, bias = (tensors[f'model.{layer}.{x}'] for x in ('weight', 'bias'))
    if 0 < layer < last:
      scale, shift, mean, variance = (
        tensors[f'model.{layer + 1}.{leaf}']
        for leaf in ('weight', 'bias', 'running_mean', 'running_var')
      )
      factor = scale / np.sqrt(variance + np.float32(_EPSILON))
      weight = weight * factor[:, None, None, None]
      bias = (bias - mean) * factor + shift
    found |= {f'model.{number}.weight': weight, f'model.{number}.bias': bias}
    number += 2
  return found


def _sizes(tensors):
  """(input channels, output channels, features, convolutions)."""
  layers = family.count(tensors, r'model\.(\d+)\.')
  features, inputs = tensors['model.0.weight'].shape[:2]
  outputs = tensors[f'model.{layers - 1}.weight'].shape[0]
  return inputs, outputs, features, layers // 2 + 1


def _dncnn_fields(tensors):
  inputs, outputs, features, convs = _sizes(tensors)
  if inputs - outputs not in (0, 1):
    raise ValueError(f'{inputs} channels in, {outputs} out')
  return {
    'features': features,
    'convs': convs,
    'reads': outputs,
    'told_noise': inputs > outputs,
  }


def _ffdnet_fields(tensors):
  inputs, outputs, features, convs = _sizes(tensors)
  if (inputs, outputs) not in ((5, 4), (13, 12)):
    raise ValueError(f'{inputs} channels in, {outputs} out')
  return {'features': features, 'convs': convs, 'reads': outputs // 4}


def _rows(net):
  rows = []
  for i in range(net.convs):
    rows += family.layer(f'model.{2 * i}', f'conv{i}')
  return rows


def _noise_level(net):
  """The usual noise level, for networks that take one."""
  return family.NOISE_LEVEL if getattr(net, 'told_noise', True) else {}


_KEYS = ('model.0.weight', 'model.2.weight', 'model.4.weight', 'model.8.weight')
DNCNN = family.Family(
  title='DnCNN',
  model='dncnn.DnCNN',
  keys=_KEYS,
  fields=_dncnn_fields,
  rows=_rows,
  unify=_unify,
  beside=_noise_level,
)
FFDNET = family.Family(
  title='FFDNet',
  model='ffdnet.FFDNet',
  keys=_KEYS,
  fields=_ffdnet_fields,
  rows=_rows,
  beside=_noise_level,
)

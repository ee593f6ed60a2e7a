"""SPAN, whose files hold the several convolutions that it was trained with."""

import re

import numpy as np

from artjax.interop.families import family

_BLOCKS = 6
_PART = re.compile(r'(.+)\.(?:sk|conv\.[012])\.(?:weight|bias)')
_MERGED = '.eval_conv.'  # the one convolution of use


def unify(tensors: family.Tensors) -> family.Tensors:
  """One convolution a layer; of others than SPAN's the same tensors."""
  if 'block_1.c1_r.eval_conv.weight' not in tensors and (
    'block_1.c1_r.sk.weight' not in tensors
  ):
    return tensors
  found = {
    name.replace(_MERGED, '.'): value
    for name, value in tensors.items()
    if not _PART.fullmatch(name)
  }
  # What is merged already may be from before the last steps of training.
  layers = {
    match[1] for match in map(_PART.fullmatch, tensors) if match is not None
  }
  for layer in layers:
    weight, bias = merge(tensors, layer)
    found |= {f'{layer}.weight': weight, f'{layer}.bias': bias}
  return found


def merge(tensors: family.Tensors, layer: str) -> tuple[np.ndarray, np.ndarray]:
  """(weight [out, in, 3, 3], bias [out]) of what was trained as several.

  They are 1x1, 3x3 and 1x1 in a row, and one of 1x1 beside them, all linear.

  Raises:
    KeyError: one of them is missing.
  """
  (w1, b1), (w2, b2), (w3, b3), (skip, b4) = (
    (tensors[f'{layer}.{part}.weight'], tensors[f'{layer}.{part}.bias'])
    for part in ('conv.0', 'conv.1', 'conv.2', 'sk')
  )
  w1, w3 = w1[:, :, 0, 0], w3[:, :, 0, 0]
  weight = np.einsum('om,mnhw,ni->oihw', w3, w2, w1, optimize=True)
  weight[:, :, 1, 1] += skip[:, :, 0, 0]
  return weight, w3 @ (w2.sum((2, 3)) @ b1 + b2) + b3 + b4


def _fields(tensors):
  features, reads = tensors['conv_1.weight'].shape[:2]
  outputs = tensors['upsampler.0.weight'].shape[0]
  return {
    'scale': family.scale_of(outputs, reads),
    'features': features,
    'norm': 'no_norm' not in tensors,
    'reads': reads,
    'writes': reads,
  }


def _rows(net):
  rows = family.layer('conv_1', 'conv_1') + family.layer('conv_2', 'conv_2')
  for i in range(1, _BLOCKS + 1):
    for j in (1, 2, 3):
      rows += family.layer(f'block_{i}.c{j}_r', f'block_{i}_c{j}')
  rows += family.layer('conv_cat', 'conv_cat', 'pointwise')
  return rows + family.layer('upsampler.0', 'upsampler')


FAMILY = family.Family(
  title='SPAN',
  model='span.SPAN',
  keys=('conv_1.weight', 'block_6.c3_r.weight', 'upsampler.0.weight'),
  fields=_fields,
  rows=_rows,
  unify=unify,
  marks=lambda net: {} if net.norm else {'no_norm': np.zeros(1, np.float32)},
)

"""SPAN, whose files hold the unmerged convolutions of its training."""

import re

import numpy as np

from artjax.interop.families import family

_BLOCKS = 6
_PART = re.compile(r'(.+)\.(?:sk|conv\.[012])\.(?:weight|bias)')
_MERGED = '.eval_conv.'  # of the merged convolution


def unify(tensors: family.Tensors) -> family.Tensors:
  """Merges the convolutions of each layer; leaves other families unchanged."""
  if 'block_1.c1_r.eval_conv.weight' not in tensors and (
    'block_1.c1_r.sk.weight' not in tensors
  ):
    return tensors
  found = {
    name.replace(_MERGED, '.'): value
    for name, value in tensors.items()
    if not _PART.fullmatch(name)
  }
  # Merged kernels in a file may be older than its unmerged ones.
  layers = {
    match[1] for match in map(_PART.fullmatch, tensors) if match is not None
  }
  for layer in layers:
    weight, bias = merge(tensors, layer)
    found |= {f'{layer}.weight': weight, f'{layer}.bias': bias}
  return found


def merge(tensors: family.Tensors, layer: str) -> tuple[np.ndarray, np.ndarray]:
  """Merges the linear convolutions of a layer into one 3x3 convolution.

  They are 1x1, 3x3 and 1x1 in a row, and a 1x1 convolution parallel to these.

  Returns:
    Its weight [out, in, 3, 3] and bias [out].

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


def block_rows(
  blocks: int, name: str = 'c{}_r', bias: bool = True
) -> list[family.Row]:
  """Rows of the three convolutions of each block.

  Args:
    blocks: their number.
    name: published name of the convolution of number {} within its block.
    bias: whether they have one.
  """
  return [
    row
    for i in range(1, blocks + 1)
    for j in (1, 2, 3)
    for row in family.layer(
      f'block_{i}.{name.format(j)}', f'block_{i}_c{j}', bias=bias
    )
  ]


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
  rows += block_rows(_BLOCKS)
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

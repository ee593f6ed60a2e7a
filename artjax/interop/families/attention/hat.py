"""HAT with the names of its authors, https://github.com/XPixelGroup/HAT."""

import functools
import math

import numpy as np

from artjax.interop.families import family
from artjax.interop.families.attention import swinir

_GROUP = 'layers.{}.residual_group'
_TABLE = 'overlap_attn.relative_position_bias_table'
_CAB = 'conv_block.cab'


def _fields(tensors):
  first = f'{_GROUP.format(0)}.blocks.0.{_CAB}'
  fields = swinir.shared_fields(tensors)
  rows = tensors[f'{_GROUP.format(0)}.{_TABLE}'].shape[0]
  return {
    **fields,
    'scale': swinir.shuffled_scale(tensors),
    'reach': math.isqrt(rows) + 1 - fields['window'],
    'compress': tensors[f'{first}.0.weight'].shape[0],
    'squeeze': tensors[f'{first}.3.attention.1.weight'].shape[0],
    'reads': tensors['conv_first.weight'].shape[1],
  }


def _block_rows(name, path, block):
  rows = swinir.block_rows(name, path, block)
  for theirs, ours, layout in (
    ('0', 'conv1', 'conv'),
    ('2', 'conv2', 'conv'),
    ('3.attention.1', 'dense1', 'pointwise'),
    ('3.attention.3', 'dense2', 'pointwise'),
  ):
    rows += family.layer(
      f'{name}.{_CAB}.{theirs}', f'{path}/channels/{ours}', layout, block
    )
  return rows


def _overlapping_rows(name, path, block):
  layer = functools.partial(family.layer, layout='dense', block=block)
  rows = [
    family.Row(
      f'{name}.relative_position_bias_table', f'{path}/position', block=block
    )
  ]
  for i in (1, 2):
    rows += family.norm(f'{name}.norm{i}', f'{path}/norm{i}', block)
    rows += layer(f'{name}.mlp.fc{i}', f'{path}/mlp/fc{i}')
  return (
    rows
    + layer(f'{name}.qkv', f'{path}/qkv')
    + layer(f'{name}.proj', f'{path}/proj')
  )


def _rows(net):
  rows = swinir.frame_rows(net)
  for i in range(net.groups):
    group = _GROUP.format(i)
    for j in range(net.blocks):
      rows += _block_rows(f'{group}.blocks.{j}', f'body/block{j}', i)
    rows += _overlapping_rows(f'{group}.overlap_attn', 'body/overlapping', i)
    rows += family.layer(f'layers.{i}.conv', 'body/conv/conv0', block=i)
  return rows


FAMILY = family.Family(
  title='HAT',
  model='hat.HAT',
  keys=(
    f'{_GROUP.format(0)}.{_TABLE}',
    f'{_GROUP.format(0)}.blocks.0.{_CAB}.0.weight',
    'conv_last.weight',
  ),
  fields=_fields,
  rows=_rows,
  derived=lambda net: {
    'relative_position_index_SA': swinir.position_index(
      (net.window, net.window)
    ),
    'relative_position_index_OCA': net.position_index().astype(np.float32),
  },
)

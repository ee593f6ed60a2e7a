"""DAT with the names of its authors, https://github.com/zhengchen1999/DAT.

Its files hold tables that follow from the sides of the windows, and masks for
pictures of the size of the training's.
"""

import functools
import math

import numpy as np

from artjax.interop.families import family
from artjax.interop.families.attention import swinir

_BLOCK = 'layers.{}.blocks.{}'
_FIRST = _BLOCK.format(0, 0)
_OFFSETS = 'attn.attns.{}.rpe_biases'
# Batch norms of an attention, and what they are here.
_NORMS = {
  'dwconv.1': 'norm',
  'channel_interaction.2': 'channel_norm',
  'spatial_interaction.1': 'pixel_norm',
}
_LAYERS = {
  'channel_interaction.1': 'channel1',
  'channel_interaction.4': 'channel2',
  'spatial_interaction.0': 'pixel1',
  'spatial_interaction.3': 'pixel2',
}


def _fields(tensors):
  groups = family.count(tensors, r'layers\.(\d+)\.')
  blocks = {
    family.count(tensors, rf'layers\.{i}\.blocks\.(\d+)\.')
    for i in range(groups)
  }
  # Of each attention to windows, which has half of the heads.
  half = {
    tensors[f'{_BLOCK.format(i, 0)}.attn.attns.0.pos.pos3.2.weight'].shape[0]
    for i in range(groups)
  }
  if len(blocks) != 1 or len(half) != 1:
    raise ValueError('its groups differ in size')
  features, reads = tensors['conv_first.weight'].shape[:2]
  direct = 'conv_last.weight' not in tensors
  outputs = tensors['upsample.0.weight'].shape[0]
  return {
    'scale': (
      family.scale_of(outputs, reads)
      if direct
      else swinir.shuffled_scale(tensors)
    ),
    'features': features,
    'groups': groups,
    'blocks': blocks.pop(),
    'heads': 2 * half.pop(),
    'window': _sides(tensors[f'{_FIRST}.{_OFFSETS.format(0)}']),
    'hidden': tensors[f'{_FIRST}.ffn.fc1.weight'].shape[0],
    'narrow': 'conv_after_body.0.weight' in tensors,
    'upsampler': 'pixelshuffledirect' if direct else 'pixelshuffle',
    'reads': reads,
  }


def _sides(offsets):
  """(height, width) of a window, from the offsets between its pixels."""
  if not np.isfinite(offsets[-1]).all():
    raise ValueError('offsets in its windows are not finite')
  height, width = (int(side) + 1 for side in offsets[-1])
  if (
    min(height, width) < 1
    or len(offsets) != (2 * height - 1) * (2 * width - 1)
    or not np.array_equal(offsets, _offsets((height, width)))
  ):
    raise ValueError('offsets in its windows are not those of a window')
  return height, width


def _weighted_rows(name, path, block):
  rows = family.layer(f'{name}.dwconv.0', f'{path}/conv', 'depthwise', block)
  for theirs, ours in _LAYERS.items():
    rows += family.layer(
      f'{name}.{theirs}', f'{path}/{ours}', 'pointwise', block
    )
  for theirs, ours in _NORMS.items():
    rows += family.norm(f'{name}.{theirs}', f'{path}/{ours}', block)
    rows += [
      family.Row(
        f'{name}.{theirs}.running_{leaf}',
        f'batch_stats/{path}/{ours}/{leaf}',
        block=block,
      )
      for leaf in ('mean', 'var')
    ]
  return rows


def _position_rows(name, path, block):
  layer = functools.partial(family.layer, layout='dense', block=block)
  rows = layer(f'{name}.pos_proj', f'{path}/dense0')
  for i in (1, 2, 3):
    rows += family.norm(f'{name}.pos{i}.0', f'{path}/norm{i}', block)
    rows += layer(f'{name}.pos{i}.2', f'{path}/dense{i}')
  return rows


def _block_rows(name, path, of_channels, block):
  layer = functools.partial(family.layer, layout='dense', block=block)
  rows = _weighted_rows(f'{name}.attn', f'{path}/attention/weighted', block)
  rows += layer(f'{name}.attn.qkv', f'{path}/attention/qkv')
  rows += layer(f'{name}.attn.proj', f'{path}/attention/proj')
  if of_channels:
    rows.append(
      family.Row(
        f'{name}.attn.temperature',
        f'{path}/attention/channels/temperature',
        'heads',
        block,
      )
    )
  else:
    for i in (0, 1):
      rows += _position_rows(
        f'{name}.attn.attns.{i}.pos', f'{path}/attention/position{i}', block
      )
  for i in (1, 2):
    rows += family.norm(f'{name}.norm{i}', f'{path}/norm{i}', block)
    rows += layer(f'{name}.ffn.fc{i}', f'{path}/mlp/fc{i}')
  rows += family.norm(f'{name}.ffn.sg.norm', f'{path}/mlp/norm', block)
  return rows + family.layer(
    f'{name}.ffn.sg.conv', f'{path}/mlp/conv', 'depthwise', block
  )


def _rows(net):
  rows = swinir.frame_rows(net, first_norm='before_RG.1')
  for i in range(net.groups):
    # Two by two in a loop, and the last by itself where their number is odd.
    alone = i == net.groups - 1 and i % 2 == 0
    path, number = ('last', 0) if alone else ('body', i % 2)
    block = None if alone else i // 2
    for j in range(net.blocks):
      rows += _block_rows(
        _BLOCK.format(i, j), f'{path}/block{number}_{j}', j % 2 == 1, block
      )
    rows += swinir.convolutions(
      f'layers.{i}.conv', f'{path}/conv{number}', net.narrow, block
    )
  return rows


def _offsets(sides):
  """f32[offsets, 2]: all of them between pixels of a window."""
  height, width = sides
  at = np.indices((2 * height - 1, 2 * width - 1)).reshape(2, -1).T
  return np.float32(at - [height - 1, width - 1])


def _derived(net):
  found = {}
  # spandrel reads the size of masks from the third block of the first group,
  # and takes 64 px where it has fewer.
  size = math.lcm(*net.window) if net.blocks > 2 else 64
  sides = (tuple(net.window), tuple(net.window[::-1]))
  for i in range(net.groups):
    for j in range(net.blocks):
      name = _BLOCK.format(i, j)
      for norm in _NORMS:
        found[f'{name}.attn.{norm}.num_batches_tracked'] = np.float32(0)
      if j % 2:
        continue
      for k in (0, 1):
        part = f'{name}.attn.attns.{k}'
        found[f'{part}.rpe_biases'] = _offsets(sides[k])
        found[f'{part}.relative_position_index'] = swinir.position_index(
          sides[k]
        )
        if net.shifts(i, j):
          found[f'{name}.attn.attn_mask_{k}'] = swinir.mask(
            sides[k], size // sides[k][0], size // sides[k][1]
          )
  return found


FAMILY = family.Family(
  title='DAT',
  model='dat.DAT',
  keys=(
    'before_RG.1.weight',
    f'{_FIRST}.ffn.sg.norm.weight',
    f'{_FIRST}.{_OFFSETS.format(0)}',
  ),
  fields=_fields,
  rows=_rows,
  derived=_derived,
)

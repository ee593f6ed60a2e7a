"""SwinIR with the names of its authors, https://github.com/JingyunLiang/SwinIR.

Its files hold tables that follow from the side of a window, and masks for
pictures of the size of the training's.
"""

import functools
import math

import numpy as np

from artjax.interop.families import family

_BLOCK = 'layers.{}.residual_group.blocks.{}'
_TABLE = 'attn.relative_position_bias_table'
_JPEG_WINDOW = 7  # of the networks whose values go up to 255, and of no others


def shared_fields(tensors: family.Tensors) -> dict:
  """Fields that SwinIR and HAT have alike.

  Raises:
    KeyError, ValueError: tensors are missing, or groups differ.
  """
  groups = family.count(tensors, r'layers\.(\d+)\.')
  blocks = {
    family.count(tensors, rf'layers\.{i}\.residual_group\.blocks\.(\d+)\.')
    for i in range(groups)
  }
  tables = {
    tensors[f'{_BLOCK.format(i, 0)}.{_TABLE}'].shape for i in range(groups)
  }
  if len(blocks) != 1 or len(tables) != 1:
    raise ValueError('its groups differ in size')
  reach, heads = next(iter(tables))
  first = _BLOCK.format(0, 0)
  return {
    'features': tensors[f'{first}.norm1.weight'].shape[0],
    'groups': groups,
    'blocks': next(iter(blocks)),
    'heads': heads,
    'window': (math.isqrt(reach) + 1) // 2,
    'hidden': tensors[f'{first}.mlp.fc1.weight'].shape[0],
  }


def shuffled_scale(tensors: family.Tensors) -> int:
  """Scale of the upsampler that shuffles pixels in steps."""
  steps = family.count(tensors, r'upsample\.(\d+)\.')
  scale = 1
  for i in range(0, steps, 2):
    outputs, inputs = tensors[f'upsample.{i}.weight'].shape[:2]
    scale *= family.scale_of(outputs, inputs)
  return scale


def _fields(tensors):
  first = 'conv_first.1' if 'conv_first.1.weight' in tensors else 'conv_first'
  inputs = tensors[f'{first}.weight'].shape[1]
  unshuffle = math.isqrt(inputs // 3) if first.endswith('.1') else 1
  reads = inputs // unshuffle**2
  if 'conv_up1.weight' in tensors:
    upsampler = 'nearest+conv'
    scale = 2 ** (family.count(tensors, r'conv_up(\d+)\.') - 1)
  elif 'conv_before_upsample.0.weight' in tensors:
    upsampler, scale = 'pixelshuffle', shuffled_scale(tensors)
  elif 'upsample.0.weight' in tensors:
    upsampler = 'pixelshuffledirect'
    scale = family.scale_of(tensors['upsample.0.weight'].shape[0], reads)
  else:
    upsampler, scale = '', 1
  if scale % unshuffle:
    raise ValueError('the output would be smaller than the input')
  fields = shared_fields(tensors)
  return {
    **fields,
    'scale': scale // unshuffle,
    'narrow': 'conv_after_body.0.weight' in tensors,
    'upsampler': upsampler,
    'unshuffle': unshuffle,
    'span': 255.0 if fields['window'] == _JPEG_WINDOW else 1.0,
    'reads': reads,
  }


def block_rows(name: str, path: str, block: int) -> list[family.Row]:
  """Rows of the attention and the MLP of one block."""
  rows = []
  for i in (1, 2):
    rows += family.norm(f'{name}.norm{i}', f'{path}/norm{i}', block)
    rows += family.layer(
      f'{name}.mlp.fc{i}', f'{path}/mlp/fc{i}', 'dense', block
    )
  for layer in ('qkv', 'proj'):
    rows += family.layer(
      f'{name}.attn.{layer}', f'{path}/attention/{layer}', 'dense', block
    )
  rows.append(
    family.Row(f'{name}.{_TABLE}', f'{path}/attention/position', block=block)
  )
  return rows


def convolutions(
  name: str, path: str, narrow: bool, block: int | None = None
) -> list[family.Row]:
  """Rows of one 3x3 convolution, or of three with a bottleneck."""
  layer = functools.partial(family.layer, block=block)
  if not narrow:
    return layer(name, f'{path}/conv0')
  rows = []
  for i, layout in enumerate(('conv', 'pointwise', 'conv')):
    rows += layer(f'{name}.{2 * i}', f'{path}/conv{i}', layout)
  return rows


def frame_rows(net, first_norm: str = 'patch_embed.norm') -> list[family.Row]:
  """Rows before and after the groups."""
  scale = net.scale * net.unshuffle
  first = 'conv_first.1' if net.unshuffle > 1 else 'conv_first'
  rows = family.layer(first, 'conv_first')
  rows += family.norm(first_norm, 'norm_first')
  rows += family.norm('norm', 'norm')
  rows += convolutions('conv_after_body', 'after', net.narrow)
  if net.upsampler == 'pixelshuffledirect':
    return rows + family.layer('upsample.0', 'up0')
  rows += family.layer('conv_last', 'conv_last')
  if not net.upsampler:
    return rows
  rows += family.layer('conv_before_upsample.0', 'before')
  for i in range(1 if scale == 3 else scale.bit_length() - 1):
    nearest = net.upsampler == 'nearest+conv'
    name = f'conv_up{i + 1}' if nearest else f'upsample.{2 * i}'
    rows += family.layer(name, f'up{i}')
  if net.upsampler == 'nearest+conv':
    rows += family.layer('conv_hr', 'conv_hr')
  return rows


def _rows(net):
  rows = frame_rows(net)
  for i in range(net.groups):
    for j in range(net.blocks):
      rows += block_rows(_BLOCK.format(i, j), f'body/block{j}', i)
    rows += convolutions(f'layers.{i}.conv', 'body/conv', net.narrow, i)
  return rows


def position_index(sides: tuple[int, int]) -> np.ndarray:
  """f32[P, P]: the row of the table for each pair of pixels of a window."""
  at = np.stack([*np.indices(sides)], -1).reshape(-1, 2)
  between = at[:, None] - at[None] + np.asarray(sides) - 1
  rows = between[..., 0] * (2 * sides[1] - 1) + between[..., 1]
  return rows.astype(np.float32)


def mask(sides: tuple[int, int], rows: int, columns: int) -> np.ndarray:
  """f32[windows, P, P]: the mask of pictures of so many windows, shifted.

  -100 for pairs of pixels from opposite edges.
  """
  down, across = (
    np.repeat([0, 1, 2], [(count - 1) * side, side - side // 2, side // 2])
    for count, side in zip((rows, columns), sides)
  )
  part = down[:, None] * 3 + across[None]
  part = part.reshape(rows, sides[0], columns, sides[1]).transpose(0, 2, 1, 3)
  part = part.reshape(rows * columns, -1)
  return np.where(
    part[:, :, None] != part[:, None], np.float32(-100), np.float32(0)
  )


def _derived(net):
  found = {}
  sides = (net.window, net.window)
  for i in range(net.groups):
    for j in range(net.blocks):
      name = _BLOCK.format(i, j)
      found[f'{name}.attn.relative_position_index'] = position_index(sides)
      if j % 2:
        found[f'{name}.attn_mask'] = mask(sides, 2, 2)
  return found


FAMILY = family.Family(
  title='SwinIR',
  model='swinir.SwinIR',
  keys=(
    f'{_BLOCK.format(0, 0)}.norm1.weight',
    f'{_BLOCK.format(0, 0)}.{_TABLE}',
    'patch_embed.norm.weight',
  ),
  fields=_fields,
  rows=_rows,
  derived=_derived,
)

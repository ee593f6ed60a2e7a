"""PLKSR and RealPLKSR, whose layers are numbered.

https://github.com/dslisleedh/PLKSR, https://github.com/muslll/neosr. PLKSR's
own name of the mixer lacks a letter.
"""

import functools

from artjax.interop.families import family


def _shared(tensors, after):
  """Fields of both; `after` is the number of layers after the blocks."""
  layers = family.count(tensors, r'feats\.(\d+)\.')
  outputs = tensors[f'feats.{layers - 1}.weight'].shape[0]
  part, side = tensors['feats.1.lk.conv.weight'].shape[1:3]
  return {
    'scale': family.scale_of(outputs),
    'features': tensors['feats.0.weight'].shape[0],
    'blocks': layers - 1 - after,
    'part': part,
    'kernel': side,
    'attention': 'feats.1.attn.f.0.weight' in tensors,
  }


def _plksr_fields(tensors):
  sides = tuple(
    tensors[f'feats.1.channe_mixer.{i}.weight'].shape[2] for i in (0, 2)
  )
  return {**_shared(tensors, 1), 'mixer': sides}


def _real_fields(tensors):
  norm = 'layer' if 'feats.1.layer_norm.weight' in tensors else 'group'
  return {
    **_shared(tensors, 2),  # a dropout too
    'norm': norm,
    'dysample': 'to_img.offset.weight' in tensors,
  }


def _blocks(net, mixer, sides):
  """Rows of the first convolution and of the blocks."""
  rows = family.layer('feats.0', 'conv_first')
  for i in range(net.blocks):
    layer = functools.partial(family.layer, block=i)
    name = f'feats.{i + 1}'
    for j, side in enumerate(sides):
      layout = 'pointwise' if side == 1 else 'conv'
      rows += layer(f'{name}.{mixer}.{2 * j}', f'body/mixer{j + 1}', layout)
    rows += layer(f'{name}.lk.conv', 'body/large')
    if net.attention:
      rows += layer(f'{name}.attn.f.0', 'body/attention')
    rows += layer(f'{name}.refine', 'body/refine', 'pointwise')
  return rows


def _plksr_rows(net):
  rows = _blocks(net, 'channe_mixer', net.mixer)
  return rows + family.layer(f'feats.{net.blocks + 1}', 'conv_last')


def _real_rows(net):
  rows = _blocks(net, 'channel_mixer', (3, 3))
  theirs = 'layer_norm' if net.norm == 'layer' else 'norm'
  for i in range(net.blocks):
    rows += family.norm(f'feats.{i + 1}.{theirs}', f'body/{net.norm}_norm', i)
  rows += family.layer(f'feats.{net.blocks + 2}', 'conv_last')
  if net.dysample:
    for name in ('offset', 'scope'):
      rows += family.layer(
        f'to_img.{name}', f'to_img/{name}', 'pointwise', bias=name == 'offset'
      )
    if net.end_conv:
      rows += family.layer('to_img.end_conv', 'to_img/end_conv', 'pointwise')
  return rows


def _positions(net):
  """Where DySample starts from."""
  if not net.dysample:
    return {}
  return {'to_img.init_pos': net.positions().reshape(1, -1, 1, 1)}


REALPLKSR = family.Family(
  title='RealPLKSR',
  model='plksr.RealPLKSR',
  keys=(
    'feats.0.weight',
    'feats.1.lk.conv.weight',
    'feats.1.channel_mixer.0.weight',
  ),
  fields=_real_fields,
  rows=_real_rows,
  derived=_positions,
)
PLKSR = family.Family(
  title='PLKSR',
  model='plksr.PLKSR',
  keys=(
    'feats.0.weight',
    'feats.1.lk.conv.weight',
    'feats.1.channe_mixer.0.weight',
  ),
  fields=_plksr_fields,
  rows=_plksr_rows,
)

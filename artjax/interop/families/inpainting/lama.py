"""LaMa with the names of its authors, https://github.com/advimman/lama.

The layers are numbered: padding, the stem, three that halve the resolution, the
blocks, a concatenation, three times a transposed convolution, a norm and a
ReLU, padding, the last convolution. They are below `generator.model` in a
checkpoint of Lightning and below `model.model` in TorchScript.
"""

import numpy as np

from artjax.interop.families import family

_MARK = 'model.1.bn_l.running_mean'
_LAYER = 'model.model.{}'
_DOWN = 3
_FIRST = _DOWN + 2  # number of the first block


def _unify(tensors):
  """All names as in TorchScript."""
  if _MARK not in tensors:  # without what comes before it
    return tensors
  return {f'model.{name}': value for name, value in tensors.items()}


def _fields(tensors):
  last = f'{_LAYER.format(2 + _DOWN - 1)}.bn_l.weight'
  return {
    'features': len(tensors[f'{_LAYER.format(1)}.bn_l.weight']),
    'near': len(tensors[last]),
    'blocks': family.count(tensors, r'model\.model\.(\d+)\.conv1\.') - _FIRST,
  }


def _norm(name, path, block=None):
  """Rows of a batch norm."""
  return family.norm(name, path, block) + [
    family.Row(
      f'{name}.running_{leaf}', f'batch_stats/{path}/{leaf}', 'as_is', block
    )
    for leaf in ('mean', 'var')
  ]


def _fourier_conv(name, path, block):
  """Rows of a fast Fourier convolution and its norms."""
  rows = []
  for theirs, ours in (
    ('l2l', 'near_near'),
    ('g2l', 'far_near'),
    ('l2g', 'near_far'),
  ):
    rows += family.layer(
      f'{name}.ffc.conv{theirs}', f'{path}/{ours}', block=block, bias=False
    )
  for theirs, ours in (
    ('conv1.0', 'squeeze'),
    ('fu.conv_layer', 'fourier/mix'),
    ('conv2', 'expand'),
  ):
    rows += family.layer(
      f'{name}.ffc.convg2g.{theirs}',
      f'{path}/far_far/{ours}',
      'pointwise',
      block,
      bias=False,
    )
  for theirs, ours in (
    ('ffc.convg2g.conv1.1', 'far_far/norm'),
    ('ffc.convg2g.fu.bn', 'far_far/fourier/norm'),
    ('bn_l', 'near_norm'),
    ('bn_g', 'far_norm'),
  ):
    rows += _norm(f'{name}.{theirs}', f'{path}/{ours}', block)
  return rows


def _rows(net):
  layer = _LAYER.format
  last_down = layer(_DOWN + 1)
  rows = []
  for name, path in (
    (f'{layer(1)}.ffc.convl2l', 'stem'),
    *((f'{layer(1 + i)}.ffc.convl2l', f'down{i}') for i in range(1, _DOWN)),
    (f'{last_down}.ffc.convl2l', 'down_near'),
    (f'{last_down}.ffc.convl2g', 'down_far'),
  ):
    rows += family.layer(name, path, bias=False)
  for name, path in (
    (f'{layer(1)}.bn_l', 'stem_norm'),
    *((f'{layer(1 + i)}.bn_l', f'down{i}_norm') for i in range(1, _DOWN)),
    (f'{last_down}.bn_l', 'down_near_norm'),
    (f'{last_down}.bn_g', 'down_far_norm'),
  ):
    rows += _norm(name, path)
  for i in range(net.blocks):
    for conv in ('conv1', 'conv2'):
      rows += _fourier_conv(f'{layer(_FIRST + i)}.{conv}', f'body/{conv}', i)
  number = _FIRST + net.blocks + 1
  for level in reversed(range(_DOWN)):
    rows += family.layer(layer(number), f'up{level}', 'transposed')
    rows += _norm(layer(number + 1), f'up{level}_norm')
    number += 3
  return rows + family.layer(layer(number + 1), 'out')


def _derived(net):
  """What batch norms count while they are trained."""
  return {
    row.name.replace('running_mean', 'num_batches_tracked'): np.zeros(
      [], np.float32
    )
    for row in _rows(net)
    if row.name.endswith('running_mean')
  }


FAMILY = family.Family(
  title='LaMa',
  model='lama.LaMa',
  keys=(f'model.{_MARK}',),
  fields=_fields,
  rows=_rows,
  unify=_unify,
  derived=_derived,
  task='inpaint',
  channels=4,
)

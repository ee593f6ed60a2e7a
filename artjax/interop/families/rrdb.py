"""ESRGAN, Real-ESRGAN, BSRGAN, ESRGAN+: RRDBNet with three sets of names."""

import re

from artjax.interop.families import family

# Names in BSRGAN's and newer ESRGAN files -> BasicSR's.
_NEWER = (
  ('RRDB_trunk.', 'body.'),
  ('.RDB', '.rdb'),
  ('trunk_conv.', 'conv_body.'),
  ('upconv', 'conv_up'),
  ('HRconv.', 'conv_hr.'),
)
_TRUNK = re.compile(r'model\.1\.sub\.(\d+)\.(?:RDB(\d)\.(conv\w+)\.)?(.+)')


def _unify(tensors):
  if 'RRDB_trunk.0.RDB1.conv1.weight' in tensors:
    return {_newer(name): value for name, value in tensors.items()}
  if 'model.1.sub.0.RDB1.conv1.0.weight' in tensors:
    return _older(tensors)
  return tensors


def _newer(name):
  for old, new in _NEWER:
    name = name.replace(old, new)
  return name


def _older(tensors):
  """Renames tensors of the first ESRGAN, whose layers are numbered.

  A doubling counts as three layers (upsampling, convolution, ReLU), of which
  only the convolution has tensors.
  """
  upsamplings = (family.count(tensors, r'model\.(\d+)\.') - 5) // 3
  layers = {'model.0': 'conv_first'}
  layers |= {f'model.{3 * i}': f'conv_up{i}' for i in range(1, upsamplings + 1)}
  layers[f'model.{3 * upsamplings + 2}'] = 'conv_hr'
  layers[f'model.{3 * upsamplings + 4}'] = 'conv_last'

  def rename(name):
    match = _TRUNK.match(name)
    if not match:
      layer, _, leaf = name.rpartition('.')
      return f'{layers.get(layer, layer)}.{leaf}'
    block, rdb, conv, leaf = match.groups()
    if not rdb:
      return f'conv_body.{leaf}'
    return f'body.{block}.rdb{rdb}.{conv}.{leaf.removeprefix("0.")}'

  return {rename(name): value for name, value in tensors.items()}


def _fields(tensors):
  features, inputs = tensors['conv_first.weight'].shape[:2]
  writes = tensors['conv_last.weight'].shape[0]
  upsamplings = family.count(tensors, r'conv_up(\d+)\.') - 1
  upsamplings = max(upsamplings, 0)
  # Real-ESRGAN's x2 and x1 unshuffle their input.
  unshuffle = {4 * writes: 2, 16 * writes: 4}.get(inputs, 1)
  if unshuffle > 2**upsamplings:
    raise ValueError('the output would be smaller than the input')
  return {
    'scale': 2**upsamplings // unshuffle,
    'upsamplings': upsamplings,
    'features': features,
    'growth': tensors['body.0.rdb1.conv1.weight'].shape[0],
    'blocks': family.count(tensors, r'body\.(\d+)\.'),
    'plus': 'body.0.rdb1.conv1x1.weight' in tensors,
    'reads': inputs // unshuffle**2,
    'writes': writes,
  }


def _rows(net):
  rows = family.layer('conv_first', 'conv_first')
  for block in range(net.blocks):
    for i in range(1, 4):
      name, path = f'body.{block}.rdb{i}', f'body/rdb{i}'
      for j in range(1, 6):
        rows += family.layer(f'{name}.conv{j}', f'{path}/conv{j}', block=block)
      if net.plus:
        rows += family.layer(
          f'{name}.conv1x1', f'{path}/conv1x1', 'pointwise', block, bias=False
        )
  ups = [f'conv_up{i}' for i in range(1, net.upsamplings + 1)]
  for name in ('conv_body', *ups, 'conv_hr', 'conv_last'):
    rows += family.layer(name, name)
  return rows


FAMILY = family.Family(
  title='ESRGAN',
  model='rrdb.RRDBNet',
  keys=('conv_first.weight', 'body.0.rdb1.conv1.weight', 'conv_last.weight'),
  fields=_fields,
  rows=_rows,
  unify=_unify,
)

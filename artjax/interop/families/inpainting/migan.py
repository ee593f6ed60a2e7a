"""MI-GAN with the names of its authors.

https://github.com/Picsart-AI-Research/MI-GAN: levels are named by their
resolution. The filters of the resampling are stored for each channel, though
all are the same.
"""

import numpy as np

from artjax.interop.families import family

_COARSEST = 4  # px
_BLUR = np.array([1, 3, 3, 1], np.float32) / 8  # along one axis
_DOWN = np.outer(_BLUR, _BLUR)
_ZEROS = np.array(
  [[1, 0], [0, 0]], np.float32
)  # inserts zeros beside each pixel
FILTERS = {
  'downsample.filter': _DOWN,
  'upsample.filter': 4 * _DOWN,
  'upsample.insert_zeros': _ZEROS,
}


def _unify(tensors):
  """Checks the filters; those of other networks are not these."""
  if FAMILY.keys[0] not in tensors:
    return tensors
  for name, value in tensors.items():
    for end, kernel in FILTERS.items():
      if not name.endswith(f'{end}.weight'):
        continue
      if value.shape[1:] != (1, *kernel.shape):
        raise ValueError(f'{name} is {list(value.shape)}')
      if not np.allclose(value, kernel, atol=1e-6):
        raise ValueError(f'{name} is another filter')
  return tensors


def _fields(tensors):
  features = []
  side = _COARSEST
  while f'encoder.b{side}.conv1.conv1.weight' in tensors:
    features.append(len(tensors[f'encoder.b{side}.conv1.conv1.weight']))
    side *= 2
  return {'features': tuple(reversed(features))}


def _levels(net):
  """(level, name of its resolution), coarsest first."""
  coarsest = len(net.features) - 1
  for level in reversed(range(coarsest + 1)):
    yield level, f'b{_COARSEST * 2 ** (coarsest - level)}'


def _conv(name, path, noise=False):
  """Rows of a separable convolution."""
  rows = family.layer(f'{name}.conv1', f'{path}/depthwise', 'depthwise')
  rows += family.layer(f'{name}.conv2', f'{path}/mix', 'pointwise', bias=False)
  if noise:
    rows += [
      family.Row(f'{name}.noise_strength', f'{path}/strength'),
      family.Row(f'{name}.noise_const', f'batch_stats/{path}/noise'),
    ]
  return rows


def _rows(net):
  rows = []
  coarsest = len(net.features) - 1
  for level, name in _levels(net):
    for i in (1, 2):
      rows += _conv(f'encoder.{name}.conv{i}', f'enc{level}_{i}')
      rows += _conv(
        f'synthesis.{name}.conv{i}', f'dec{level}_{i}', level < coarsest
      )
    rows += family.layer(
      f'synthesis.{name}.torgb', f'to_rgb{level}', 'pointwise'
    )
  finest = f'encoder.b{net.tile}.fromrgb'
  return rows + family.layer(finest, 'from_rgb', 'pointwise')


def _derived(net):
  """The filters of the resampling, for each channel."""
  found = {}

  def add(name, end, channels):
    found[f'{name}.{end}.weight'] = np.tile(
      FILTERS[end], (channels, 1, 1, 1)
    ).astype(np.float32)

  for level, name in _levels(net):
    if level == len(net.features) - 1:
      continue
    features = net.features[level]
    add(f'encoder.{name}.conv2', 'downsample.filter', features)
    for end in ('upsample.filter', 'upsample.insert_zeros'):
      add(f'synthesis.{name}.conv1', end, features)
      add(f'synthesis.{name}', end, 3)
  return found


FAMILY = family.Family(
  title='MI-GAN',
  model='migan.MIGAN',
  keys=('encoder.b4.conv1.conv1.weight', 'synthesis.b4.torgb.weight'),
  fields=_fields,
  rows=_rows,
  unify=_unify,
  derived=_derived,
  task='inpaint',
  channels=4,
)

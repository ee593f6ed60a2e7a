"""Weights with the tensor names of other programs: reading and writing.

RRDBNet (Real-ESRGAN and BasicSR; ESRGAN's newer and older names),
SRVGGNetCompact and MSRResNet. The architecture and its fields are found from
names and shapes. One table a model, `_TABLES`, serves both directions.
"""

from collections.abc import Mapping
import math
import re
from typing import Any

import jax
import ml_collections
import numpy as np

from artjax import registry
from artjax.interop import safetensors_io

# What ESRGAN's own files call things, in BasicSR's words.
_NEWER = (
  ('RRDB_trunk.', 'body.'),
  ('.RDB', '.rdb'),
  ('trunk_conv.', 'conv_body.'),
  ('upconv1.', 'conv_up1.'),
  ('upconv2.', 'conv_up2.'),
  ('HRconv.', 'conv_hr.'),
)
_OLDER = {
  'model.0': 'conv_first',
  'model.3': 'conv_up1',
  'model.6': 'conv_up2',
  'model.8': 'conv_hr',
  'model.10': 'conv_last',
}


def recognise(
  tensors: Mapping[str, np.ndarray], where: str = 'weights'
) -> tuple[dict[str, Any], dict[str, Any]]:
  """(model, flax weights) of published tensors.

  Args:
    tensors: {name: array}, as `tensor_files.read` gives them.
    where: what they came from, for messages.

  Returns:
    {'name': 'file.Class', 'args': fields} and the nested weights.

  Raises:
    ValueError: no known architecture, or tensors missing, extra, misshapen or
      not finite; they are named, and nothing is half loaded.
  """
  tensors = _basicsr_names(tensors)
  try:
    model = _model(tensors)
  except (ValueError, IndexError):  # a tensor of too few axes
    model = None
  if model is None:
    raise ValueError(
      f'{where}: no architecture known here (RRDBNet, '
      f'SRVGGNetCompact, MSRResNet); it has '
      f'{", ".join(sorted(tensors)[:4])} ...'
    )
  config = ml_collections.ConfigDict({'model': model})
  expected = publish(
    model,
    jax.tree.map(
      lambda shape: np.broadcast_to(np.float32(0), shape.shape),
      registry.variables(config)['params'],
    ),
  )
  safetensors_io.check(tensors, expected, f'{where}, as a {model["name"]}')
  flat: dict[str, Any] = {}
  for name, path, block in _TABLES[model['name']](model['args']):
    value = tensors[name]
    if value.ndim == 4:
      value = value.transpose(2, 3, 1, 0)  # OIHW -> HWIO
    if block is None:
      flat[path] = value
    else:
      flat.setdefault(path, []).append(value)
  return model, safetensors_io.unflatten(
    {
      path: np.stack(value) if isinstance(value, list) else value
      for path, value in flat.items()
    }
  )


def publish(
  model: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, np.ndarray]:
  """{published name: float32 array} of flax weights; undoes `recognise`.

  Raises:
    ValueError: no published names are known for this model.
  """
  name = model['name']
  if name not in _TABLES:
    raise ValueError(
      f'{name} has no published names; those that have: {", ".join(_TABLES)}'
    )
  flat = safetensors_io.flatten(params)
  tensors = {}
  for published, path, block in _TABLES[name](_fields(model, flat)):
    value = flat[path] if block is None else flat[path][block]
    if value.ndim == 4:
      value = value.transpose(3, 2, 0, 1)
    tensors[published] = np.ascontiguousarray(value, np.float32)
  return tensors


def save(
  path: str,
  model: Mapping[str, Any],
  params: Mapping[str, Any],
  dtype: str = 'float32',
) -> None:
  """Writes weights under their published names, for PyTorch's tools."""
  safetensors_io.save_tensors(
    path, publish(model, params), {'format': 'pt'}, dtype
  )


# One table a model: [(published name, flax name, index of the block or None)].


def _conv(published, path, block=None):
  return [
    (f'{published}.weight', f'{path}/kernel', block),
    (f'{published}.bias', f'{path}/bias', block),
  ]


def _rrdb(fields):
  rows = _conv('conv_first', 'conv_first')
  for block in range(fields['blocks']):
    for i in range(1, 4):
      for j in range(1, 6):
        rows += _conv(
          f'body.{block}.rdb{i}.conv{j}', f'body/rdb{i}/conv{j}', block
        )
  for name in ('conv_body', 'conv_up1', 'conv_up2', 'conv_hr', 'conv_last'):
    rows += _conv(name, name)
  return rows


def _srvgg(fields):
  rows = []
  for i in range(fields['convs'] + 1):
    rows += _conv(f'body.{2 * i}', f'conv{i}')
    rows.append((f'body.{2 * i + 1}.weight', f'prelu{i}/slope', None))
  return rows + _conv(f'body.{2 * fields["convs"] + 2}', 'conv_last')


def _msrresnet(fields):
  rows = _conv('conv_first', 'conv_first')
  for i in range(fields['blocks']):
    for j in (1, 2):
      rows += _conv(f'body.{i}.conv{j}', f'body{i}_conv{j}')
  for name in ('upconv1', 'upconv2', 'conv_hr', 'conv_last'):
    rows += _conv(name, name)
  return rows


_TABLES = {
  'rrdb.RRDBNet': _rrdb,
  'srvgg.SRVGGNetCompact': _srvgg,
  'srresnet.MSRResNet': _msrresnet,
}


def _fields(model, flat):
  """The fields of a model that its table needs, from the weights themselves."""
  if model['name'] == 'rrdb.RRDBNet':
    return {'blocks': flat['body/rdb1/conv1/kernel'].shape[0]}
  count = lambda pattern: sum(bool(re.fullmatch(pattern, n)) for n in flat)
  if model['name'] == 'srvgg.SRVGGNetCompact':
    return {'convs': count(r'conv\d+/kernel') - 1}
  return {'blocks': count(r'body\d+_conv1/kernel')}


# Recognising.


def _model(tensors):
  """{'name', 'args'} by names and shapes, or None."""
  shape = lambda name: tensors[name].shape
  blocks = 1 + max(
    (
      int(match[1])
      for match in map(re.compile(r'body\.(\d+)\.').match, tensors)
      if match
    ),
    default=-1,
  )
  if 'body.0.rdb1.conv1.weight' in tensors and 'conv_first.weight' in tensors:
    features, channels = shape('conv_first.weight')[:2]
    scale = {3: 4, 12: 2, 48: 1}.get(channels)
    if scale is None:
      return None
    return {
      'name': 'rrdb.RRDBNet',
      'args': {
        'scale': scale,
        'features': features,
        'blocks': blocks,
        'growth': shape('body.0.rdb1.conv1.weight')[0],
      },
    }
  if 'body.0.conv1.weight' in tensors and 'upconv1.weight' in tensors:
    return {
      'name': 'srresnet.MSRResNet',
      'args': {'features': shape('conv_first.weight')[0], 'blocks': blocks},
    }
  last = f'body.{blocks - 1}.weight'
  if tensors.get('body.0.weight', np.zeros(0)).ndim == 4 and last in tensors:
    scale = math.isqrt(shape(last)[0] // 3)
    if scale < 1 or shape(last)[0] != 3 * scale**2:
      return None
    return {
      'name': 'srvgg.SRVGGNetCompact',
      'args': {
        'scale': scale,
        'features': shape('body.0.weight')[0],
        'convs': blocks // 2 - 1,
      },
    }
  return None


def _basicsr_names(tensors):
  """ESRGAN's newer and older names as BasicSR's; others stay as they are."""
  if any(name.startswith('RRDB_trunk.') for name in tensors):

    def rename(name):
      for old, new in _NEWER:
        name = name.replace(old, new)
      return name
  elif 'model.0.weight' in tensors:
    trunk = re.compile(
      r'model\.1\.sub\.(\d+)\.(?:RDB(\d)\.conv(\d)\.0\.)?(\w+)$'
    )

    def rename(name):
      match = trunk.match(name)
      if match:
        block, rdb, conv, kind = match.groups()
        return (
          f'body.{block}.rdb{rdb}.conv{conv}.{kind}'
          if rdb
          else f'conv_body.{kind}'
        )
      layer, _, kind = name.rpartition('.')
      return f'{_OLDER.get(layer, layer)}.{kind}'
  else:
    return tensors
  return {rename(name): value for name, value in tensors.items()}

"""Weights under the names that other programs publish them with, in and out.

RRDBNet (Real-ESRGAN and BasicSR; ESRGAN's newer and older names),
SRVGGNetCompact and MSRResNet, from .safetensors, .npz, and .pth where torch is
installed. The architecture and its fields are found from names and shapes. One
table a model, `_TABLES`, serves both directions.
"""

import math
import os
import re
import zipfile
import zlib

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
_CONTAINERS = ('params_ema', 'params', 'state_dict')


def read(path):
  """{name: float32 array} of a weights file of another program.

  Raises:
    FileNotFoundError: no such file.
    ValueError: of another kind, damaged, or .pth without torch.
  """
  if not os.path.isfile(path):
    raise FileNotFoundError(f'{path}: no such weights file')
  suffix = os.path.splitext(path)[1].lower()
  readers = {
    '.npz': _read_npz,
    '.safetensors': _read_safetensors,
    '.pth': _read_torch,
    '.pt': _read_torch,
  }
  if suffix not in readers:
    raise ValueError(f'{path}: weights are read from {", ".join(readers)}')
  tensors = {
    name.removeprefix('module.'): value
    for name, value in readers[suffix](path).items()
  }
  if not tensors:
    raise ValueError(f'{path}: holds no tensors')
  odd = [
    name
    for name, value in tensors.items()
    if value.dtype.kind not in 'fiu' and value.dtype.name != 'bfloat16'
  ]
  if odd:
    raise ValueError(f'{path}: not numbers: {", ".join(odd[:8])}')
  return {
    name: np.asarray(value, np.float32) for name, value in tensors.items()
  }


def recognise(tensors, where='weights'):
  """(model, flax weights) of published tensors.

  Args:
    tensors: {name: array}, as `read` gives them.
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
  flat = {}
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


def publish(model, params):
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


def save(path, model, params, dtype='float32'):
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


# The encoder of models/resunet.py.

_RESNET = re.compile(r'(?:layer(\d)\.(\d)\.)?(conv|bn|downsample\.)(\d)\.(\w+)')
_BATCH_NORM = {
  'weight': 'scale',
  'bias': 'bias',
  'running_mean': 'mean',
  'running_var': 'var',
}


def resnet_encoder(tensors, where='weights'):
  """(model, flax weights) of torchvision's ResNet-18 or ResNet-34.

  Of the encoder alone: a run of a ResUNet with norm='batch' starts from them
  (`config.init_from`) and learns its decoder. They are for grey pictures, one
  channel, to which ImageNet's three are added up; the classifier is dropped.

  Args:
    tensors: {name: array}, as `read` gives them.
    where: what they came from, for messages.

  Raises:
    ValueError: no such network; missing, extra or misshapen tensors.
  """
  flat = {}
  for name, value in tensors.items():
    match = _RESNET.fullmatch(name)
    if not match:
      if not name.startswith('fc.') and 'conv1.weight' in tensors:
        raise ValueError(f'{where}: no ResNet-18 or 34 has a {name}')
      continue
    stage, block, kind, number, leaf = match.groups()
    if leaf == 'num_batches_tracked':
      continue
    prefix = f'encoder/layer{stage}_{block}/' if stage else 'encoder/'
    # In `downsample` the convolution is 0 and the norm 1.
    conv = kind == 'conv' or (kind == 'downsample.' and number == '0')
    layer = {'conv': f'conv{number}', 'bn': f'norm{number}'}.get(
      kind, 'down_conv' if conv else 'down_norm'
    )
    if conv and value.ndim == 4:
      value, leaf = value.transpose(2, 3, 1, 0), 'kernel'  # OIHW -> HWIO
    elif not conv:
      leaf = _BATCH_NORM.get(leaf, leaf)
    stats = f'{safetensors_io.STATS}/' if leaf in ('mean', 'var') else ''
    flat[f'{stats}{prefix}{layer}/{leaf}'] = value
  model = {
    'name': 'resunet.ResUNet',
    'args': {
      'depth': 34 if 'encoder/layer1_2/conv1/kernel' in flat else 18,
      'norm': 'batch',
    },
  }
  if 'encoder/conv1/kernel' not in flat or (
    'encoder/layer1_0/conv3/kernel' in flat
  ):
    raise ValueError(
      f'{where}: not a ResNet-18 or 34 with the names of torchvision'
    )
  first = flat['encoder/conv1/kernel']
  flat['encoder/conv1/kernel'] = first.sum(axis=-2, keepdims=True)
  expected = safetensors_io.merge(
    registry.variables(ml_collections.ConfigDict({'model': model}), 1)
  )
  expected = {
    'encoder': expected['encoder'],
    safetensors_io.STATS: {
      'encoder': expected[safetensors_io.STATS]['encoder']
    },
  }
  params = safetensors_io.unflatten(flat)
  safetensors_io.check(params, expected, f'{where}, as a ResNet')
  return model, params


# Reading and recognising.


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


def _read_npz(path):
  try:
    with open(path, 'rb') as file:
      tensors = dict(np.load(file, allow_pickle=False))
    for name, value in tensors.items():
      if not isinstance(value, np.ndarray):
        raise ValueError(f'{name} is no array')
    return tensors
  except (
    ValueError,
    TypeError,
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
  ) as error:
    raise ValueError(f'{path}: not an .npz file of arrays ({error})') from error


def _read_safetensors(path):
  import safetensors
  from safetensors import numpy as safetensors_numpy

  try:
    return safetensors_numpy.load_file(path)
  except safetensors.SafetensorError as error:
    raise ValueError(f'{path}: not a safetensors file ({error})') from error


def _read_torch(path):
  try:
    import torch
  except ImportError as error:
    raise ValueError(
      f'{path}: .pth files need torch, which is not installed; '
      'convert it to .safetensors'
    ) from error
  import pickle

  try:
    # Nothing but tensors: a .pth may hold a program.
    found = torch.load(path, map_location='cpu', weights_only=True)
  except (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
  ) as error:
    # torch has no error of its own for a damaged file.
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    raise ValueError(f'{path}: not a file of tensors ({reason})') from error
  for key in _CONTAINERS:
    if isinstance(found, dict) and isinstance(found.get(key), dict):
      found = found[key]
  if not isinstance(found, dict):
    raise ValueError(
      f'{path}: holds a {type(found).__name__}, not named tensors'
    )
  return {
    name: value.float().numpy()
    for name, value in found.items()
    if torch.is_tensor(value)
  }

"""Published networks in small: their tensors drawn, their pictures in PyTorch.

Weights follow from their names and shapes, so a golden file needs only these
and what PyTorch's network made of one picture. Renewed, where torch and
spandrel are (`make export-setup`), by

  ARTJAX_RENEW_GOLDENS=1 .venv-export/bin/python -m pytest -q \\
      tests/interop/test_families.py
"""

import dataclasses
import importlib
import json
import os
import pathlib
import zlib

import jax
import ml_collections
import numpy as np
import spandrel_library
import torch_networks

from artjax import registry
from artjax.interop import published
from artjax.interop import safetensors_io
from artjax.interop.families.inpainting import migan

FOLDER = pathlib.Path(__file__).parent / 'golden' / 'published'
RENEW = bool(os.environ.get('ARTJAX_RENEW_GOLDENS'))
# Ends of names of tensors that are not drawn, as they follow from the fields.
# Of these, fields are read from the values of the last alone: they are held.
DERIVED = (
  '.init_pos',
  '.relative_position_index',
  '.attn_mask',
  '.num_batches_tracked',
  'relative_position_index_SA',
  'relative_position_index_OCA',
  '.attn_mask_0',
  '.attn_mask_1',
  '.rpe_biases',
)


@dataclasses.dataclass(frozen=True)
class Case:
  """One network.

  Attributes:
    title: of its family.
    theirs: class of `torch_networks`, or '' for spandrel's of that title.
    args: its fields.
    size: of the picture, px.
    noise: that FDnCNN and its like are told, which spandrel fixes.
    channels: of the picture that it sees.
    fills: whether it also sees where the picture is missing.
    every: of the result's px that the golden file holds.
    library: spandrel's name of what it is among, if not the title.
    package: of spandrel's; what is not free software is in another.
    multiple: of the sides to which its authors pad pictures, px.
    renamed: (start of names in spandrel's class, in published files).
    one_way: whether what is written here of it has other tensors, or names
      that spandrel does not read: it merges nothing, and knows ESRGAN+ under
      the older names alone.
  """

  title: str
  theirs: str = ''
  args: dict = dataclasses.field(default_factory=dict)
  size: tuple[int, int] = (12, 9)
  noise: float = 0.0
  channels: int = 3
  fills: bool = False
  every: int = 1
  library: str = ''
  package: str = 'spandrel'
  multiple: int = 1
  renamed: tuple[str, str] = ('', '')
  one_way: bool = False


_ESRGAN = {'num_filters': 6, 'num_blocks': 2}
_PLKSR = {'dim': 8, 'n_blocks': 2, 'kernel_size': 7}
_SWINIR = {
  'embed_dim': 8,
  'depths': [2, 2],
  'num_heads': [2, 2],
  'window_size': 4,
  'mlp_ratio': 2,
  'img_size': 8,
}
_DAT = {
  'embed_dim': 96,
  'split_size': [4, 8],
  'expansion_factor': 0.5,
  'img_size': 8,
}
_RESTORMER = {'dim': 8, 'num_blocks': [1, 2, 1, 1], 'num_refinement_blocks': 1}
_UNET = {'nc': [4, 6, 8, 8], 'nb': 2}
_LAMA = {'features': 4, 'blocks': 2}
CASES = {
  **{
    f'esrgan_x{2**i}': Case(
      'ESRGAN', args=_ESRGAN | {'scale': 2**i}, size=(5, 4), every=2**i // 2 + 1
    )
    for i in range(5)
  },
  'esrgan_x2_unshuffle': Case(
    'ESRGAN',
    args=_ESRGAN | {'scale': 4, 'in_nc': 12, 'shuffle_factor': 2},
    size=(7, 6),
  ),
  'esrgan_x1_unshuffle': Case(
    'ESRGAN',
    args=_ESRGAN | {'scale': 4, 'in_nc': 48, 'shuffle_factor': 4},
    size=(11, 6),
  ),
  'esrgan_plus': Case(
    'ESRGAN', args=_ESRGAN | {'plus': True}, size=(5, 4), one_way=True
  ),
  'esrgan_grey': Case(
    'ESRGAN', args=_ESRGAN | {'in_nc': 1, 'out_nc': 1, 'scale': 1}, channels=1
  ),
  'esrgan_rgba': Case(
    'ESRGAN', args=_ESRGAN | {'in_nc': 4, 'out_nc': 4, 'scale': 1}, channels=4
  ),
  'span': Case(
    'SPAN',
    args={'num_in_ch': 3, 'num_out_ch': 3, 'feature_channels': 6, 'upscale': 2},
    one_way=True,
  ),
  'span_no_norm': Case(
    'SPAN',
    args={
      'num_in_ch': 3,
      'num_out_ch': 3,
      'feature_channels': 6,
      'upscale': 4,
      'norm': False,
    },
    size=(5, 4),
    one_way=True,
  ),
  'spanf': Case('SPANF', 'SPANF', {'features': 6, 'tail': 5}, size=(5, 4)),
  'spanv2': Case('SPANV2', 'SPANV2', {'features': 6}, size=(5, 4)),
  'realplksr': Case(
    'RealPLKSR', args=_PLKSR | {'layer_norm': True}, library='PLKSR'
  ),
  'realplksr_groups': Case(
    'RealPLKSR', args=_PLKSR | {'upscaling_factor': 1}, library='PLKSR'
  ),
  **{
    f'realplksr_dysample_x{scale}': Case(
      'RealPLKSR',
      args=_PLKSR | {'dysample': True, 'upscaling_factor': scale},
      size=(5, 4),
      library='PLKSR',
    )
    for scale in (1, 4)
  },
  'plksr': Case('PLKSR', args=_PLKSR | {'upscaling_factor': 2}),
  'plksr_dccm': Case(
    'PLKSR',
    args=_PLKSR | {'upscaling_factor': 3, 'ccm_type': 'DCCM', 'use_ea': False},
  ),
  'swinir_classical': Case(
    'SwinIR', args=_SWINIR | {'upscale': 3, 'upsampler': 'pixelshuffle'}
  ),
  'swinir_light': Case(
    'SwinIR', args=_SWINIR | {'upscale': 2, 'upsampler': 'pixelshuffledirect'}
  ),
  'swinir_real': Case(
    'SwinIR',
    args=_SWINIR
    | {'upscale': 4, 'upsampler': 'nearest+conv', 'resi_connection': '3conv'},
    size=(3, 5),
    every=2,
  ),
  'swinir_unshuffle': Case(
    'SwinIR',
    args=_SWINIR
    | {'upscale': 4, 'upsampler': 'nearest+conv', 'start_unshuffle': 2},
    size=(8, 16),
    every=2,
    renamed=('conv_first.', 'conv_first.1.'),
  ),
  'swinir_grey': Case('SwinIR', args=_SWINIR | {'in_chans': 1}, channels=1),
  'swinir_jpeg': Case(
    'SwinIR',
    args=_SWINIR | {'window_size': 7, 'img_size': 14, 'img_range': 255},
  ),
  'hat': Case(
    'HAT',
    args=_SWINIR | {'upscale': 2, 'compress_ratio': 2, 'squeeze_factor': 4},
  ),
  'dat': Case(
    'DAT',
    args=_DAT
    | {'depth': [2, 2], 'num_heads': [4, 4], 'upscale': 4, 'img_size': 64},
    size=(9, 14),
    every=2,
  ),
  'dat_light': Case(
    'DAT',
    args=_DAT
    | {
      'depth': [3],
      'num_heads': [4],
      'upscale': 3,
      'resi_connection': '3conv',
      'upsampler': 'pixelshuffledirect',
    },
    size=(3, 5),
  ),
  'restormer': Case(
    'Restormer',
    args=_RESTORMER,
    size=(13, 18),
    package='spandrel_extra_arches',
    multiple=8,
  ),
  'restormer_grey': Case(
    'Restormer',
    args=_RESTORMER
    | {'inp_channels': 1, 'out_channels': 1, 'LayerNorm_type': 'BiasFree'},
    size=(16, 8),
    channels=1,
    package='spandrel_extra_arches',
    multiple=8,
  ),
  'nafnet': Case(
    'NAFNet',
    args={
      'width': 4,
      'enc_blk_nums': [1, 2],
      'middle_blk_num': 1,
      'dec_blk_nums': [2, 1],
    },
    size=(11, 6),
  ),
  'dncnn': Case(
    'DnCNN', args={'in_nc': 3, 'out_nc': 3, 'nc': 4, 'nb': 9, 'act_mode': 'R'}
  ),
  'dncnn_grey_norms': Case(
    'DnCNN',
    args={'in_nc': 1, 'out_nc': 1, 'nc': 4, 'nb': 6, 'act_mode': 'BR'},
    channels=1,
    one_way=True,
  ),
  'fdncnn': Case(
    'DnCNN',
    args={
      'in_nc': 4,
      'out_nc': 3,
      'nc': 4,
      'nb': 9,
      'act_mode': 'R',
      'mode': 'FDnCNN',
    },
    noise=0.2,
  ),
  'ffdnet': Case('FFDNet', 'FFDNet', {'features': 5, 'convs': 5}, noise=0.2),
  'drunet': Case(
    'DRUNet', args=_UNET | {'in_nc': 4, 'out_nc': 3}, size=(16, 8), noise=0.2
  ),
  'drunet_grey': Case(
    'DRUNet',
    args=_UNET | {'in_nc': 2, 'out_nc': 1},
    size=(8, 8),
    noise=0.1,
    channels=1,
  ),
  'fbcnn': Case('FBCNN', args={'nc': [4, 4, 4, 512], 'nb': 2}, size=(13, 10)),
  'scunet': Case(
    'SCUNet', args={'config': [1, 1, 1, 2, 1, 1, 2]}, size=(41, 80), every=3
  ),
  **{
    f'lama_{kind}': Case('LaMa', args=_LAMA, size=size, fills=True)
    for kind, size in (('even', (16, 24)), ('odd', (21, 19)), ('small', (5, 9)))
  },
  'migan': Case(
    'MI-GAN', 'MIGAN', {'features': (4, 6, 8)}, size=(16, 16), fills=True
  ),
}


def weights(name, fields):
  """(config, drawn weights) of a network, without compiling its `init`."""
  model = {'name': name, 'args': fields}
  family = next(f for f in published.FAMILIES if f.model == name)
  config = ml_collections.ConfigDict({'task': family.task, 'model': model})
  rng = np.random.default_rng(0)

  def draw(path, shape):
    if path[-1].key == 'noise' and not shape.shape:
      return np.float32(15 / 255)
    if path[-1].key == 'quality':
      return np.float32(-1)
    fan = max(1, np.prod(shape.shape[:-1]))
    noise = rng.standard_normal(shape.shape, np.float32)
    if path[-1].key == 'var':
      return 1 + np.float32(0.1) * np.abs(noise)
    return noise * np.float32(fan**-0.5)

  shapes = safetensors_io.merge(registry.variables(config, family.channels))
  return config, jax.tree_util.tree_map_with_path(draw, shapes)


def picture(case):
  """f32[1, H, W, channels] in [0, 1]; without transparency; with holes."""
  rng = np.random.default_rng(0)
  x = rng.random([1, *case.size, 3], np.float32)
  if case.fills:
    hole = rng.random([1, *case.size, 1]) > 0.5
    return np.concatenate([x, np.float32(hole)], -1)
  if case.channels == 4:
    return np.concatenate([x, np.ones_like(x[..., :1])], -1)
  return x[..., : case.channels]


def drawn(name, shape):
  """The tensor of a published name; of a derived one, zeros."""
  if name.endswith(DERIVED):
    return np.zeros(shape, np.float32)
  rng = np.random.default_rng(zlib.crc32(name.encode()))
  noise = rng.standard_normal(shape, np.float32)
  for end, kernel in migan.FILTERS.items():
    if name.endswith(f'{end}.weight'):
      return np.broadcast_to(kernel, shape).astype(np.float32)
  if len(shape) > 1 and min(shape[1:]) * shape[0] > 0:
    return noise * np.float32(np.prod(shape[1:]) ** -0.5)
  if name.endswith(('weight', 'running_var')):
    return np.abs(1 + np.float32(0.1) * noise)
  return np.float32(0.1) * noise


def golden(name):
  """({published name: tensor}, f32[1, h, w, C]) of a case."""
  with np.load(FOLDER / f'{name}.npz') as file:
    shapes = json.loads(str(file['shapes']))
    tensors = {n: drawn(n, s) for n, s in shapes.items()}
    held = {n: file[n] for n in file.files if n in tensors}
    return tensors | held, file['y']


def renew(name, tensors, y):
  """Writes the golden file of a case."""
  shapes = {n: list(value.shape) for n, value in tensors.items()}
  held = {n: value for n, value in tensors.items() if n.endswith(DERIVED[-1])}
  FOLDER.mkdir(exist_ok=True)
  np.savez_compressed(
    FOLDER / f'{name}.npz', shapes=np.array(json.dumps(shapes)), y=y, **held
  )


def in_torch(case):
  """(module with drawn weights, {published name: tensor}, spandrel's too)."""
  import torch

  if case.theirs:
    net = getattr(torch_networks, case.theirs)(**case.args)
  elif case.title == 'LaMa':
    net = spandrel_library.lama(**case.args)
  else:
    library = case.library or case.title
    module = importlib.import_module(f'{case.package}.architectures.{library}')
    net = getattr(module, case.title)(**case.args)
  state, tensors = {}, {}
  for name, value in net.state_dict().items():
    published = name.replace(*case.renamed)
    if not name.endswith(DERIVED):
      value = torch.tensor(drawn(published, tuple(value.shape)))
    state[name], tensors[published] = value, value.numpy()
  net.load_state_dict(state)
  return net.eval(), tensors


def result_in_torch(case, net):
  """f32[1, h, w, C] of the picture, every so many px."""
  import torch

  x = torch.tensor(picture(case).transpose(0, 3, 1, 2).copy())
  if case.noise and not case.theirs:  # spandrel's take a map
    x = torch.cat([x, torch.full_like(x[:, :1], case.noise)], 1)
  height, width = x.shape[2:]
  beyond = (0, -width % case.multiple, 0, -height % case.multiple)
  x = torch.nn.functional.pad(x, beyond, 'reflect')
  with torch.no_grad():
    if case.fills and not case.theirs:
      y = spandrel_library.filled(net, x)
    else:
      y = net(x, case.noise) if case.noise and case.theirs else net(x)
  y = y[0] if isinstance(y, tuple) else y
  if case.multiple > 1:
    y = y[..., :height, :width]
  return y.numpy().transpose(0, 2, 3, 1)[:, :: case.every, :: case.every]

"""DRUNet and FBCNN with the names of their authors.

https://github.com/cszn/DPIR, https://github.com/jiaxi-jiang/FBCNN. A stage of
the encoder ends with the downsampling, one of the decoder starts with the
upsampling.
"""

from artjax.interop.families import family

_LEVELS = 4


def _features(tensors, body):
  names = ('m_head', 'm_down2.0.res.0', 'm_down3.0.res.0', f'{body}.0.res.0')
  return tuple(tensors[f'{name}.weight'].shape[0] for name in names)


def _drunet_fields(tensors):
  return {
    'features': _features(tensors, 'm_body'),
    'blocks': family.count(tensors, r'm_body\.(\d+)\.'),
    'reads': tensors['m_tail.weight'].shape[0],
  }


def _fbcnn_fields(tensors):
  return {
    'features': _features(tensors, 'm_body_encoder'),
    'blocks': family.count(tensors, r'm_body_encoder\.(\d+)\.'),
    'reads': tensors['m_tail.weight'].shape[0],
  }


def _residual(name, path, bias):
  return family.layer(
    f'{name}.res.0', f'{path}/conv1', bias=bias
  ) + family.layer(f'{name}.res.2', f'{path}/conv2', bias=bias)


def _frame(net, body, bias):
  """Rows that DRUNet and FBCNN share."""
  rows = family.layer('m_head', 'head', bias=bias)
  rows += family.layer('m_tail', 'tail', bias=bias)
  for level in range(_LEVELS - 1):
    for i in range(net.blocks):
      rows += _residual(f'm_down{level + 1}.{i}', f'enc{level}_{i}', bias)
      rows += _residual(f'm_up{level + 1}.{i + 1}', f'dec{level}_{i}', bias)
    rows += family.layer(
      f'm_down{level + 1}.{net.blocks}',
      f'down{level + 1}/dense',
      'down2',
      bias=bias,
    )
    up = f'm_up{level + 1}.0'
    rows += family.layer(up, f'up{level + 1}/dense', 'up2', bias=False)
    if bias:
      rows.append(family.Row(f'{up}.bias', f'up{level + 1}/bias'))
  for i in range(net.blocks):
    rows += _residual(f'{body}.{i}', f'enc{_LEVELS - 1}_{i}', bias)
  return rows


def _drunet_rows(net):
  return _frame(net, 'm_body', bias=False)


def _fbcnn_rows(net):
  rows = _frame(net, 'm_body_encoder', bias=True)
  for i in range(net.blocks):
    rows += _residual(f'm_body_decoder.{i}', f'middle_{i}', True)
    rows += _residual(f'qf_pred.{i}', f'quality_{i}', True)
  for i in range(3):
    # Numbered after the blocks, the pooling and the flattening; ReLUs between.
    rows += family.layer(
      f'qf_pred.{net.blocks + 2 + 2 * i}', f'quality_dense{i}', 'dense'
    )
    rows += family.layer(f'qf_embed.{2 * i}', f'embed{i}', 'dense')
  for level in range(1, _LEVELS):
    for part in ('gamma', 'beta'):
      rows += family.layer(f'to_{part}_{level}.0', f'{part}{level}', 'dense')
  return rows


DRUNET = family.Family(
  title='DRUNet',
  model='drunet.DRUNet',
  keys=('m_head.weight', 'm_body.0.res.0.weight', 'm_up1.0.weight'),
  fields=_drunet_fields,
  rows=_drunet_rows,
  beside=lambda net: family.NOISE_LEVEL,
)
FBCNN = family.Family(
  title='FBCNN',
  model='fbcnn.FBCNN',
  keys=('m_head.weight', 'm_body_encoder.0.res.0.weight', 'qf_embed.0.weight'),
  fields=_fbcnn_fields,
  rows=_fbcnn_rows,
  beside=lambda net: {'batch_stats/quality': -1},  # to be estimated
)

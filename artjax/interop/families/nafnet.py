"""NAFNet of its authors; decoder levels are numbered from the coarsest."""

from artjax.interop.families import family

# Of GoPro and REDS, which the authors evaluated with local means over 1.5 times
# the side of the training crops: https://arxiv.org/abs/2112.04491.
_DEBLURRING = (1, 1, 1, 28)
_WINDOW = 384  # px


def _fields(tensors):
  def blocks(part):
    levels = family.count(tensors, rf'{part}\.(\d+)\.')
    return tuple(
      family.count(tensors, rf'{part}\.{level}\.(\d+)\.')
      for level in range(levels)
    )

  down = blocks('encoders')
  return {
    'width': tensors['intro.weight'].shape[0],
    'enc_blocks': down,
    'middle_blocks': family.count(tensors, r'middle_blks\.(\d+)\.'),
    'dec_blocks': blocks('decoders')[::-1],
    'padding': 'constant',
    'window': _WINDOW if down == _DEBLURRING else 0,
  }


def _block(name, path):
  rows = []
  for layer in ('conv1', 'conv3', 'conv4', 'conv5'):
    rows += family.layer(f'{name}.{layer}', f'{path}/{layer}', 'pointwise')
  rows += family.layer(f'{name}.conv2', f'{path}/conv2', 'depthwise')
  rows += family.layer(f'{name}.sca.1', f'{path}/attention', 'pointwise')
  for layer in ('norm1', 'norm2'):
    rows += family.norm(f'{name}.{layer}', f'{path}/{layer}')
  return rows + [
    family.Row(f'{name}.{leaf}', f'{path}/{leaf}', 'channels')
    for leaf in ('beta', 'gamma')
  ]


def _rows(net):
  rows = family.layer('intro', 'intro') + family.layer('ending', 'ending')
  levels = len(net.enc_blocks)
  for level in range(levels):
    for i in range(net.enc_blocks[level]):
      rows += _block(f'encoders.{level}.{i}', f'enc{level}_{i}')
    rows += family.layer(f'downs.{level}', f'down{level}', 'down2')
    theirs = levels - 1 - level
    rows += family.layer(
      f'ups.{theirs}.0', f'up{level}', 'pointwise', bias=False
    )
    for i in range(net.dec_blocks[level]):
      rows += _block(f'decoders.{theirs}.{i}', f'dec{level}_{i}')
  for i in range(net.middle_blocks):
    rows += _block(f'middle_blks.{i}', f'middle_{i}')
  return rows


FAMILY = family.Family(
  title='NAFNet',
  model='nafnet.NAFNet',
  keys=('intro.weight', 'ending.weight', 'middle_blks.0.beta'),
  fields=_fields,
  rows=_rows,
)

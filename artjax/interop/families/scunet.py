"""SCUNet with the names of its authors, https://github.com/cszn/SCUNet."""

from artjax.interop.families import family

_STAGES = ('m_down1', 'm_down2', 'm_down3', 'm_body', 'm_up3', 'm_up2', 'm_up1')


def _fields(tensors):
  features, reads = tensors['m_head.0.weight'].shape[:2]
  return {
    'features': features,
    'blocks': tuple(
      # A stage has its blocks and a change of resolution.
      family.count(tensors, rf'{stage}\.(\d+)\.') - (stage != 'm_body')
      for stage in _STAGES
    ),
    'reads': reads,
  }


def _block(name, path):
  rows = []
  for theirs, ours in (('conv1_1', 'split'), ('conv1_2', 'mix')):
    rows += family.layer(f'{name}.{theirs}', f'{path}/{ours}', 'pointwise')
  for theirs, ours in (
    ('msa.embedding_layer', 'attention/embedding'),
    ('msa.linear', 'attention/out'),
    ('mlp.0', 'mlp1'),
    ('mlp.2', 'mlp2'),
  ):
    rows += family.layer(
      f'{name}.trans_block.{theirs}', f'{path}/{ours}', 'dense'
    )
  for i in (1, 2):
    rows += family.norm(f'{name}.trans_block.ln{i}', f'{path}/norm{i}')
    rows += family.layer(
      f'{name}.conv_block.{2 * i - 2}', f'{path}/conv{i}', bias=False
    )
  return rows + [
    family.Row(
      f'{name}.trans_block.msa.relative_position_params',
      f'{path}/attention/position',
    )
  ]


def _rows(net):
  rows = family.layer('m_head.0', 'head', bias=False)
  rows += family.layer('m_tail.0', 'tail', bias=False)
  levels = len(net.blocks) // 2
  for stage, blocks in zip(_STAGES, net.blocks):
    up, down = stage.startswith('m_up'), stage.startswith('m_down')
    level = levels if stage == 'm_body' else int(stage[-1]) - 1
    path = 'middle' if stage == 'm_body' else f'{"dec" if up else "enc"}{level}'
    for i in range(blocks):
      rows += _block(f'{stage}.{i + up}', f'{path}_{i}')
    if down:
      rows += family.layer(
        f'{stage}.{blocks}', f'down{level + 1}/dense', 'down2', bias=False
      )
    if up:
      rows += family.layer(
        f'{stage}.0', f'up{level + 1}/dense', 'up2', bias=False
      )
  return rows


FAMILY = family.Family(
  title='SCUNet',
  model='scunet.SCUNet',
  keys=('m_head.0.weight', 'm_tail.0.weight', 'm_body.0.conv1_1.weight'),
  fields=_fields,
  rows=_rows,
)

"""Restormer with the names of its authors, https://github.com/swz30/Restormer."""

from artjax.interop.families import family

_FIRST = 'encoder_level1.0'
_EXPANSION = 2.66  # of all that its authors published


def _fields(tensors):
  features, reads = tensors['patch_embed.proj.weight'].shape[:2]
  if 'skip_conv.weight' in tensors:
    raise ValueError(
      f'it takes {reads} channels, two views of a dual-pixel sensor, and '
      'pictures have one view'
    )
  stages = ('encoder_level1', 'encoder_level2', 'encoder_level3', 'latent')
  hidden = tensors[f'{_FIRST}.ffn.project_out.weight'].shape[1]
  usual = hidden == int(features * _EXPANSION)
  return {
    'features': features,
    'blocks': tuple(
      family.count(tensors, rf'{stage}\.(\d+)\.') for stage in stages
    ),
    'refinement': family.count(tensors, r'refinement\.(\d+)\.'),
    'heads': tuple(
      tensors[f'{stage}.0.attn.temperature'].shape[0] for stage in stages
    ),
    'expansion': _EXPANSION if usual else hidden / features,
    'centred': f'{_FIRST}.norm1.body.bias' in tensors,
    'reads': reads,
  }


def _block(name, path, block, centred):
  rows = [
    family.Row(
      f'{name}.attn.temperature',
      f'{path}/attention/channels/temperature',
      'heads',
      block,
    )
  ]
  for theirs, ours, layout in (
    ('attn.qkv', 'attention/qkv', 'pointwise'),
    ('attn.qkv_dwconv', 'attention/conv', 'depthwise'),
    ('attn.project_out', 'attention/out', 'pointwise'),
    ('ffn.project_in', 'mlp/fc1', 'pointwise'),
    ('ffn.dwconv', 'mlp/conv', 'depthwise'),
    ('ffn.project_out', 'mlp/fc2', 'pointwise'),
  ):
    rows += family.layer(
      f'{name}.{theirs}', f'{path}/{ours}', layout, block, bias=False
    )
  for i in (1, 2):
    norm = family.norm(f'{name}.norm{i}.body', f'{path}/norm{i}', block)
    rows += norm if centred else norm[:1]
  return rows


def _rows(net):
  rows = []

  def layer(theirs, ours, layout='conv'):
    rows.extend(family.layer(theirs, ours, layout, bias=False))

  def stage(theirs, ours, count):
    for i in range(count):
      rows.extend(_block(f'{theirs}.{i}', ours, i, net.centred))

  layer('patch_embed.proj', 'first')
  last = len(net.blocks) - 1
  for level, count in enumerate(net.blocks):
    theirs = 'latent' if level == last else f'encoder_level{level + 1}'
    stage(theirs, f'enc{level}', count)
    if level == last:
      break
    layer(f'down{level + 1}_{level + 2}.body.0', f'down{level + 1}')
    layer(f'up{level + 2}_{level + 1}.body.0', f'up{level + 1}')
    if level:
      layer(f'reduce_chan_level{level + 1}', f'mix{level}', 'pointwise')
    stage(f'decoder_level{level + 1}', f'dec{level}', count)
  stage('refinement', 'refinement', net.refinement)
  layer('output', 'last')
  return rows


FAMILY = family.Family(
  title='Restormer',
  model='restormer.Restormer',
  keys=(
    'patch_embed.proj.weight',
    f'{_FIRST}.attn.temperature',
    f'{_FIRST}.attn.qkv_dwconv.weight',
    'output.weight',
  ),
  fields=_fields,
  rows=_rows,
)

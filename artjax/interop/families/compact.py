"""Real-ESRGAN's SRVGGNetCompact."""

from artjax.interop.families import family


def _fields(tensors):
  layers = family.count(tensors, r'body\.(\d+)\.')
  return {
    'scale': family.scale_of(tensors[f'body.{layers - 1}.weight'].shape[0]),
    'features': tensors['body.0.weight'].shape[0],
    'convs': layers // 2 - 1,
  }


def _rows(net):
  rows = []
  for i in range(net.convs + 1):
    rows += family.layer(f'body.{2 * i}', f'conv{i}')
    rows.append(family.Row(f'body.{2 * i + 1}.weight', f'prelu{i}/slope'))
  return rows + family.layer(f'body.{2 * net.convs + 2}', 'conv_last')


FAMILY = family.Family(
  title='Compact',
  model='srvgg.SRVGGNetCompact',
  keys=('body.0.weight', 'body.1.weight', 'body.2.weight'),
  fields=_fields,
  rows=_rows,
)

"""BasicSR's MSRResNet."""

from artjax.interop.families import family


def _fields(tensors):
  return {
    'features': tensors['conv_first.weight'].shape[0],
    'blocks': family.count(tensors, r'body\.(\d+)\.'),
  }


def _rows(net):
  rows = family.layer('conv_first', 'conv_first')
  for i in range(net.blocks):
    for j in (1, 2):
      rows += family.layer(f'body.{i}.conv{j}', f'body{i}_conv{j}')
  for name in ('upconv1', 'upconv2', 'conv_hr', 'conv_last'):
    rows += family.layer(name, name)
  return rows


FAMILY = family.Family(
  title='MSRResNet',
  model='srresnet.MSRResNet',
  keys=('conv_first.weight', 'body.0.conv1.weight', 'upconv1.weight'),
  fields=_fields,
  rows=_rows,
)

"""SPANF and SPANV2, from the challenges of NTIRE 2025 and 2026."""

from artjax.interop.families import family
from artjax.interop.families import span

_BLOCKS = 5


def _scale(tensors):
  return family.scale_of(tensors['conv_near.weight'].shape[0])


def _spanf_fields(tensors):
  return {
    'scale': _scale(tensors),
    'features': tensors['block_1.c1_r.weight'].shape[0],
    'tail': tensors['conv_cat.weight'].shape[0],
  }


def _near():
  return [family.Row('conv_near.weight', 'conv_near/kernel', 'depthwise')]


def _spanf_rows(net):
  del net
  rows = _near() + family.layer('conv_cat', 'conv_cat', 'pointwise')
  rows += family.layer('conv_2', 'conv_2')
  return rows + span.block_rows(_BLOCKS)


def _spanv2_fields(tensors):
  return {
    'scale': _scale(tensors),
    'features': tensors['block_1.c1.conv.weight'].shape[0],
  }


def _spanv2_rows(net):
  del net
  rows = _near() + span.block_rows(_BLOCKS, 'c{}.conv', bias=False)
  for i in range(2, _BLOCKS + 1):
    rows += family.layer(
      f'block_{i}.guidance_map_conv', f'block_{i}_gate', 'pointwise'
    )
  rows.append(
    family.Row('depthwise_conv.weight', 'depthwise/kernel', 'depthwise')
  )
  return rows + family.layer(
    'pointwise_conv', 'pointwise', 'pointwise', bias=False
  )


SPANF = family.Family(
  title='SPANF',
  model='spanf.SPANF',
  keys=('conv_near.weight', 'block_5.c3_r.weight', 'conv_cat.weight'),
  fields=_spanf_fields,
  rows=_spanf_rows,
  unify=span.unify,
)
SPANV2 = family.Family(
  title='SPANV2',
  model='spanf.SPANV2',
  keys=('conv_near.weight', 'block_5.c3.conv.weight', 'depthwise_conv.weight'),
  fields=_spanv2_fields,
  rows=_spanv2_rows,
)

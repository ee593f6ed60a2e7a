"""Recognises published networks that are not supported."""

from collections.abc import Iterable

# {title: a name that identifies its files}; the first match counts.
_NAMES = {
  'RGT': 'layers.0.blocks.0.gamma',
  'DRCT': 'layers.0.swin1.attn.relative_position_bias_table',
  'ATD': 'layers.0.residual_group.td',
  'Swin2SR': 'layers.0.residual_group.blocks.0.attn.logit_scale',
  'OmniSR': 'residual_layer.0.residual_layer.0.layer.0.fn.0.weight',
  'Uformer': 'encoderlayer_0.blocks.0.norm1.weight',
  'GFPGAN': 'stylegan_decoder.style_mlp.1.weight',
  'CodeFormer': 'ft_layers.0.self_attn.in_proj_weight',
  'DDColor': 'decoder.color_decoder.query_feat.weight',
  'RealCUGAN': 'unet1.conv1.conv.0.weight',
  'RCAN': 'body.0.body.0.body.3.conv_du.0.weight',
  'SAFMN': 'feats.0.safm.mfr.0.weight',
}


def recognise(names: Iterable[str]) -> str:
  """The title of an unsupported network that is recognised, or ''."""
  names = set(names)
  for title, name in _NAMES.items():
    if any(n == name or n.endswith(f'.{name}') for n in names):
      return title
  return ''

"""Parameters of published networks are as many as was published.

Sources: the papers and, where these have none, what their files hold; see
the modules.
"""

import jax
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.interop import published
from artjax.interop import safetensors_io

_GOPRO = {
  'enc_blocks': (1, 1, 1, 28),
  'middle_blocks': 1,
  'dec_blocks': (1, 1, 1, 1),
}
_SWINIR_LIGHT = {
  'groups': 4,
  'features': 60,
  'hidden': 120,
  'upsampler': 'pixelshuffledirect',
}
_SWINIR_LARGE = {
  'groups': 9,
  'features': 240,
  'heads': 8,
  'hidden': 480,
  'narrow': True,
  'upsampler': 'nearest+conv',
}
_SWINIR_JPEG = {'scale': 1, 'upsampler': '', 'window': 7, 'span': 255.0}
_DAT_LIGHT = {
  'groups': 1,
  'blocks': 18,
  'features': 60,
  'hidden': 120,
  'narrow': True,
  'upsampler': 'pixelshuffledirect',
}
_HAT_SMALL = {'features': 144, 'hidden': 288, 'compress': 6, 'squeeze': 6}


@pytest.mark.parametrize(
  'name, fields, parameters',
  [
    ('rrdb.RRDBNet', {'scale': 1, 'upsamplings': 0}, 16_624_131),
    ('rrdb.RRDBNet', {'scale': 2, 'upsamplings': 1}, 16_661_059),
    ('rrdb.RRDBNet', {'scale': 8, 'upsamplings': 3}, 16_734_915),
    ('span.SPAN', {}, 426_288),
    ('span.SPAN', {'features': 52}, 498_208),
    ('span.SPAN', {'features': 28}, 150_688),
    ('spanf.SPANF', {}, 148_288),
    ('spanf.SPANF', {'tail': 24}, 143_928),
    ('spanf.SPANV2', {}, 139_104),
    ('plksr.RealPLKSR', {}, 7_389_680),
    ('plksr.RealPLKSR', {'norm': 'group'}, 7_389_680),
    ('plksr.RealPLKSR', {'dysample': True}, 7_402_243),
    ('plksr.PLKSR', {'mixer': (3, 3)}, 7_386_096),
    ('swinir.SwinIR', {}, 11_900_199),
    ('swinir.SwinIR', {'upsampler': 'nearest+conv'}, 11_715_559),
    ('swinir.SwinIR', _SWINIR_LIGHT, 929_628),
    ('swinir.SwinIR', _SWINIR_LARGE, 28_013_059),
    ('swinir.SwinIR', {'scale': 1, 'upsampler': ''}, 11_504_163),
    ('swinir.SwinIR', _SWINIR_JPEG, 11_492_067),
    ('hat.HAT', {}, 20_772_507),
    ('hat.HAT', _HAT_SMALL, 9_621_183),
    ('hat.HAT', {'groups': 12}, 40_846_575),
    ('dat.DAT', {'hidden': 720}, 14_802_051),
    ('dat.DAT', {}, 11_212_131),
    ('dat.DAT', {'window': (8, 16)}, 11_212_131),
    ('dat.DAT', _DAT_LIGHT, 572_766),
    ('restormer.Restormer', {}, 26_126_644),
    ('restormer.Restormer', {'centred': False}, 26_111_668),
    ('restormer.Restormer', {'centred': False, 'reads': 1}, 26_109_076),
    ('nafnet.NAFNet', {}, 29_159_715),
    ('nafnet.NAFNet', {'width': 64}, 115_982_915),
    ('nafnet.NAFNet', _GOPRO, 17_111_907),
    ('nafnet.NAFNet', {'width': 64, **_GOPRO}, 67_888_835),
    ('dncnn.DnCNN', {}, 668_227),
    ('dncnn.DnCNN', {'reads': 1}, 665_921),
    ('dncnn.DnCNN', {'reads': 1, 'convs': 17}, 555_137),
    ('ffdnet.FFDNet', {}, 852_108),
    ('ffdnet.FFDNet', {'reads': 1, 'features': 64, 'convs': 15}, 485_316),
    ('drunet.DRUNet', {}, 32_640_960),
    ('fbcnn.FBCNN', {}, 71_921_796),
    ('scunet.SCUNet', {}, 17_946_072),
    ('lama.LaMa', {}, 50_975_875),
  ],
)
def test_published_parameter_counts(name, fields, parameters):
  config = ml_collections.ConfigDict({'model': {'name': name, 'args': fields}})
  family = next(f for f in published.FAMILIES if f.model == name)
  shapes = registry.variables(config, family.channels)['params']
  found = sum(np.prod(x.shape) for x in jax.tree.leaves(shapes))
  assert found == parameters


@pytest.mark.parametrize(
  'features, parameters', [((64, 128), 5_983_434), ((128,), 5_953_417)]
)
def test_parameters_of_migan_with_its_filters(features, parameters):
  levels = (*features, 256, 512, 512, 512, 512, 512)
  model = {'name': 'migan.MIGAN', 'args': {'features': levels}}
  config = ml_collections.ConfigDict({'model': model})
  shapes = safetensors_io.merge(registry.variables(config, 4))
  zeros = jax.tree.map(lambda x: np.zeros(x.shape, np.float32), shapes)
  found = published.publish(model, zeros)
  count = sum(v.size for n, v in found.items() if 'noise_const' not in n)
  assert count == parameters

"""Attention networks as wide as they were published, beside PyTorch's.

Compiling them takes minutes: without torch and spandrel (`make export-setup`)
these tests are skipped, and what they ask is held in small by test_families.py.
"""

import dataclasses

import jax
import ml_collections
import numpy as np
import published_networks
import pytest
import spandrel_library

from artjax import registry
from artjax.interop import published
from artjax.interop import safetensors_io

_DAT = {'depth': [6] * 6, 'num_heads': [6] * 6, 'split_size': [8, 32]}
_SIZES = ((6, 7), (33, 40))  # smaller than a window, and larger
CASES = {
  'DAT': published_networks.Case(
    'DAT', args=_DAT | {'expansion_factor': 4, 'upscale': 4}
  ),
  'DAT-2': published_networks.Case(
    'DAT', args=_DAT | {'expansion_factor': 2, 'upscale': 3}
  ),
  'DAT-S': published_networks.Case(
    'DAT',
    args=_DAT | {'expansion_factor': 2, 'upscale': 2, 'split_size': [8, 16]},
  ),
  'DAT-light': published_networks.Case(
    'DAT',
    args={
      'depth': [18],
      'num_heads': [6],
      'embed_dim': 60,
      'split_size': [8, 32],
      'expansion_factor': 2,
      'upscale': 4,
      'resi_connection': '3conv',
      'upsampler': 'pixelshuffledirect',
    },
  ),
  'Restormer': published_networks.Case(
    'Restormer', package='spandrel_extra_arches', multiple=8
  ),
  'Restormer-colour-noise': published_networks.Case(
    'Restormer',
    args={'LayerNorm_type': 'BiasFree'},
    package='spandrel_extra_arches',
    multiple=8,
  ),
  'Restormer-grey-noise': published_networks.Case(
    'Restormer',
    args={'inp_channels': 1, 'out_channels': 1, 'LayerNorm_type': 'BiasFree'},
    channels=1,
    package='spandrel_extra_arches',
    multiple=8,
  ),
}


@pytest.mark.filterwarnings('ignore:torch.meshgrid')  # spandrel's calls
@pytest.mark.parametrize('name', CASES)
def test_published_networks_in_full(name):
  spandrel_library.load(CASES[name].package)
  net, tensors = published_networks.in_torch(CASES[name])
  model, params = published.recognise(tensors, name)
  ours = registry.model(ml_collections.ConfigDict({'model': model}))
  apply = jax.jit(ours.apply)
  for size in _SIZES:
    case = dataclasses.replace(CASES[name], size=size)
    y = published_networks.result_in_torch(case, net)
    x = published_networks.picture(case)
    x = x.repeat(3, -1) if case.channels == 1 else x
    found = apply(safetensors_io.variables(params), x)[..., : case.channels]
    np.testing.assert_allclose(
      found, y, rtol=0, atol=1e-3 * max(1, np.abs(y).max())
    )

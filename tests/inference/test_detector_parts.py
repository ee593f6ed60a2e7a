"""Two detectors in one file: together, apart, and over pictures."""

import functools

from conftest import tiny_config
import cv2
import jax
import numpy as np
import pytest

from artjax import registry
from artjax.inference import detector_parts
from artjax.inference import loading
from artjax.inference import network
from artjax.inference.passes import coarse as coarse_pass
from artjax.interop import safetensors_io


def detector_config(name='detector.Detector', **args):
  config = tiny_config(task='detect')
  config.model = {'name': name, 'args': args}
  return config


@functools.cache
def one(seed, blocks):
  config = detector_config(features=(8, 8, 8), blocks=blocks)
  rng = np.random.default_rng(seed)

  def draw(path, shape):
    noise, name = rng.standard_normal(shape.shape), path[-1].key
    if name == 'kernel':
      return np.float32(noise * np.prod(shape.shape[:-1]) ** -0.5)
    return np.float32(0.1 * noise + (name in ('scale', 'var')))

  return config, jax.tree_util.tree_map_with_path(
    draw, safetensors_io.merge(registry.variables(config))
  )


@functools.cache
def both():
  return detector_parts.join(one(1, (1, 1, 1)), one(2, (1, 2, 1)))


def picture(h, w):
  noise = np.random.default_rng(0).random([9, 9, 3], np.float32)
  return np.uint8(255 * cv2.resize(noise, (w, h)))


def test_together_they_are_what_the_model_wants():
  config, params = both()
  assert config.model.name == detector_parts.TOGETHER
  safetensors_io.check(
    params, safetensors_io.merge(registry.variables(config)), 'both'
  )


@pytest.mark.parametrize(
  'part, alone', [('fine', one(1, (1, 1, 1))), ('coarse', one(2, (1, 2, 1)))]
)
def test_apart_they_are_as_they_were(tmp_path, part, alone):
  path = str(tmp_path / 'both.safetensors')
  safetensors_io.save(path, both()[1], both()[0])
  config, params = loading.load(f'{path}:{part}')
  assert loading._network(config) == loading._network(alone[0])
  jax.tree.map(np.testing.assert_array_equal, params, alone[1])


def test_every_tile_is_seen_four_times():
  image = picture(96, 120)
  have = network.Restorer(*both())(image)[..., 0].astype(float)
  alone = network.Restorer(*one(1, (1, 1, 1)))
  turned = [np.rot90(alone(np.rot90(image, k)), -k)[..., 0] for k in range(4)]
  assert np.abs(have - np.mean(turned, 0)).mean() < 0.5  # each was rounded
  assert np.abs(have - turned[0]).mean() > 1


def test_cracks_are_of_the_fine_one_and_the_rest_of_both():
  config, params = both()
  config = config.copy_and_resolve_references()
  config.model.args['views'] = 1
  image = picture(212, 240)
  run = network.Restorer(config, params)
  assert run.view == 208
  have = run(image).astype(float)
  fine = network.Restorer(*one(1, (1, 1, 1)))(image).astype(float)
  np.testing.assert_array_equal(have[..., 0], fine[..., 0])
  small = coarse_pass.shrink(np.float32(image / 255), 208)
  seen = (
    np.float32(
      network.Restorer(*one(2, (1, 2, 1)))(
        np.uint8(np.rint(small * 255)), self_ensemble=True
      )
    )
    / 255
  )
  ((_, want),) = coarse_pass.merge(
    [(0, np.float32(fine / 255))], seen, 212, 240
  )
  for i in (1, 2):
    assert np.abs(have[..., i] - 255 * want[..., i]).mean() < 1
    assert np.abs(have[..., i] - fine[..., i]).mean() > 2


def test_no_tile_shows():
  run, image = network.Restorer(*both()), picture(140, 120)
  whole = run(image).astype(int)
  assert np.abs(run(image, tile=128) - whole).max() <= 1


def test_turned_it_sees_the_same():
  run, image = network.Restorer(*both()), picture(96, 120)
  far = lambda **how: np.abs(
    run(image, **how).astype(int)
    - run(image[:, ::-1], **how)[:, ::-1].astype(int)
  ).mean()
  assert far(self_ensemble=True) < 0.3 * far()


def test_other_networks_are_named(tmp_path):
  path = str(tmp_path / 'one.safetensors')
  safetensors_io.save(path, one(1, (1, 1, 1))[1], one(1, (1, 1, 1))[0])
  with pytest.raises(ValueError, match='detector.Detector has no such part'):
    loading.load(f'{path}:coarse')
  unet = tiny_config(), {}
  with pytest.raises(ValueError, match='the coarse part must be a detector'):
    detector_parts.join(one(1, (1, 1, 1)), unet)

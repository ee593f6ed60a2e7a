"""A trained generator as a function of a picture."""

import functools

from conftest import random_params
from conftest import shared
from conftest import tiny_config
import jax
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax import resampling
from artjax.data.sources import decode
from artjax.inference import network

CONFIG = tiny_config()


@functools.cache
def params():
  return random_params(registry.model(CONFIG), 0.01)


def picture(h, w, seed=0):
  return np.random.default_rng(seed).integers(0, 256, [h, w, 3], dtype=np.uint8)


def restorer():
  return network.Restorer(CONFIG, params())


@pytest.mark.parametrize('size', [(128, 128), (97, 131), (5, 3), (1, 1)])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_any_size_comes_back_in_its_size_and_type(size, dtype):
  restored = restorer()(picture(*size).astype(dtype))
  assert restored.shape == (*size, 3) and restored.dtype == dtype


def test_is_the_model_of_the_mirrored_picture_rounded():
  image = picture(100, 90)
  halo = restorer().grid(100, 90).halo
  padded = np.pad(
    image, [(halo, halo + 28), (halo, halo + 38), (0, 0)], 'symmetric'
  )
  unit = lambda x: x[None].astype(np.float32) / 255
  y = np.asarray(
    jax.jit(registry.model(CONFIG).apply)(
      {'params': params()},
      unit(padded),
      context=resampling.thumbnail(unit(image)[0], network.CONTEXT)[None],
    )
  )[0]
  want = np.rint(np.clip(y, 0, 1) * 255)[halo : halo + 100, halo : halo + 90]
  have = restorer()(image).astype(float)
  assert np.abs(have - want).max() <= 1
  assert np.abs(have - image).max() > 5  # It does something.


@pytest.mark.parametrize('tile', [32, 64])
def test_tiles_do_not_show(tile):
  image = picture(150, 120)
  whole = restorer()(image, tile=160).astype(int)
  assert np.abs(restorer()(image, tile=tile) - whole).max() <= 1


def test_strength_is_a_share_of_the_change():
  image = picture(60, 60)
  full = restorer()(image).astype(float)
  half = restorer()(image, strength=0.5).astype(float)
  inside = (full > 0) & (full < 255)  # what was clipped went further
  assert np.abs(half - (full + image) / 2)[inside].max() <= 1
  assert restorer()(image, strength=0.0) is image
  with pytest.raises(ValueError, match='strength'):
    restorer()(image, strength=1.5)


def test_self_ensemble_turns_with_the_picture():
  image = picture(64, 64)
  run = lambda x: restorer()(x, self_ensemble=True).astype(int)
  upright = run(image)
  for turn in (np.rot90, np.fliplr, np.transpose):
    turned = (lambda x: turn(x, (1, 0, 2))) if turn is np.transpose else turn
    # The network itself has no such symmetry.
    assert (
      np.abs(
        turned(restorer()(image)).astype(int) - restorer()(turned(image))
      ).max()
      > 2
    )
    assert np.abs(turned(upright) - run(turned(image))).max() <= 1


def test_self_ensemble_can_be_ended_between_its_views():
  class Enough(Exception):
    pass

  told = []

  def on_tiles(done):
    told.append(done)
    if len(told) == 3:
      raise Enough

  image = np.float32(picture(40, 48)) / 255
  read = lambda y, x, h, w: image[y : y + h, x : x + w]
  with pytest.raises(Enough):
    for _ in restorer().strips(
      read, 40, 48, image, self_ensemble=True, on_tiles=on_tiles
    ):
      pass
  assert told == [0, 0, 0]


def test_self_ensemble_says_how_far_the_eight_are_apart():
  image = picture(40, 48) / np.float32(255)
  read = lambda y, x, h, w: image[y : y + h, x : x + w]
  ((_, rows),) = restorer().strips(read, 40, 48, image, self_ensemble=True)
  runs = []
  for flip in (False, True):
    for k in range(4):
      turn = lambda x: np.rot90(x[:, ::-1] if flip else x, k)
      turned = turn(image)
      inside = lambda y, x, h, w: turned[y : y + h, x : x + w]
      ((_, y),) = restorer().strips(inside, *turned.shape[:2], turned)
      y = np.rot90(y, -k)
      runs.append(y[:, ::-1] if flip else y)
  np.testing.assert_allclose(rows[..., :3], np.mean(runs, 0), atol=2e-3)
  np.testing.assert_allclose(rows[..., 3], np.std(runs, 0).mean(-1), atol=4e-3)


def filler():
  config = tiny_config(task='inpaint')
  config.model.name = 'inpaint.GatedUNet'
  config.model.args = ml_collections.ConfigDict(
    {'features': (8, 8, 8), 'blocks': (1, 1), 'dilations': (1, 2)}
  )
  return network.Restorer(
    config, random_params(registry.model(config), 0.01, channels=4)
  )


def holes(h, w):
  hole = np.zeros([h, w], bool)
  hole[10:30, 12:50] = hole[-4:, -9:] = True
  return hole


@pytest.mark.parametrize(
  'dtype, self_ensemble', [(np.uint8, False), (np.uint16, True)]
)
def test_a_filler_changes_only_what_the_mask_shows(dtype, self_ensemble):
  image, hole = picture(70, 90).astype(dtype), holes(70, 90)
  run = lambda image: filler()(
    image, hole, self_ensemble=self_ensemble, tile=32
  )
  filled = run(image)
  assert filled.dtype == dtype
  np.testing.assert_array_equal(filled[~hole], image[~hole])
  other = image.copy()
  other[hole] = 200  # what a hole hides makes no difference
  np.testing.assert_array_equal(run(other), filled)
  assert filled[hole].std() > 0


def test_tiles_of_a_filler_hardly_show():
  image, hole = picture(150, 120), holes(150, 120)
  whole = filler()(image, hole, tile=160).astype(int)
  assert np.abs(filler()(image, hole, tile=64) - whole).max() <= 2


def test_tiles_without_holes_are_not_run():
  run, seen = filler(), []
  compiled = run.network('jax')._run
  run.network('jax')._run = lambda params, tiles, context: (
    seen.append(tiles.shape) or (compiled(params, tiles, context))
  )
  image, hole = picture(200, 200), np.zeros([200, 200], bool)
  np.testing.assert_array_equal(run(image, hole, tile=64), image)
  assert not seen
  hole[5:9, 5:9] = True
  for count, ensemble in ((1, False), (8, True)):
    seen.clear()
    run(image, hole, tile=64, self_ensemble=ensemble)
    # Its halo takes it into the neighbours' view, where nothing is filled.
    assert count <= len(seen) < 16 * count


def test_deep_holes_are_filled_from_a_smaller_copy():
  image, hole = picture(300, 300) // 8 + 100, np.zeros([300, 300], bool)
  hole[40:260, 30:270] = True
  image[hole] = 0
  filled = filler()(image, hole, tile=96)
  # From the mean of what is around it, far inside as well.
  assert np.abs(filled[150, 150].astype(int) - 116).max() < 40
  # One that is not deep for the network is all its own.
  far = filler()
  far._reach = 200
  assert (far(image, hole, tile=96) != filled)[hole].any()


def test_masks_that_do_not_fit_are_named():
  image = picture(40, 40)
  with pytest.raises(ValueError, match='take no mask'):
    restorer()(image, np.zeros([40, 40], bool))
  with pytest.raises(ValueError, match='give a mask'):
    filler()(image)
  with pytest.raises(ValueError, match='mask is 30 x 40 px, the picture 40 x'):
    filler()(image, np.zeros([40, 30], bool))


def test_shipped_weights_show_no_tiles():
  source = sorted(shared('paintings/val').iterdir())[0]
  image = decode.decode(source.read_bytes())[:300, :420]
  run = network.Restorer.load('unet')
  whole = run(image, tile=448).astype(int)
  assert np.abs(whole - image).max() > 5
  for tile in (128, 256):
    assert np.abs(run(image, tile=tile) - whole).max() <= 1


def test_parameters_are_on_the_device_before_the_first_tile():
  run, image = restorer(), picture(64, 64)
  run(image)  # compiles
  assert all(isinstance(x, jax.Array) for x in jax.tree.leaves(run.params))
  with jax.transfer_guard_host_to_device('disallow'):
    run(image)  # its tiles are sent on purpose
    run.params = params()
    with pytest.raises(jax.errors.JaxRuntimeError, match='transfer'):
      run(image)

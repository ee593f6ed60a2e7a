"""A trained generator as a function of a picture."""
import functools

from conftest import random_params
from conftest import tiny_config
import numpy as np
import pytest

from artjax import inference
from artjax import lookup
from artjax import weights
from artjax.data import resize

CONFIG = tiny_config()


@functools.cache
def params():
  return random_params(lookup.model(CONFIG), 0.05)


def picture(h, w, seed=0):
  return np.random.default_rng(seed).integers(0, 256, [h, w, 3], dtype=np.uint8)


@pytest.mark.parametrize('size', [(128, 128), (97, 131), (5, 3), (1, 1)])
def test_any_size_comes_back_in_its_size(size):
  restored = inference.Restorer(CONFIG, params())(picture(*size))
  assert restored.shape == (*size, 3) and restored.dtype == np.uint8


def test_is_the_model_rounded():
  image = picture(128, 128)
  model = lookup.model(CONFIG)
  x = image[None].astype(np.float32) / 255
  context = resize.thumbnail(image, inference.CONTEXT)[None] / np.float32(255)
  y = np.asarray(model.apply({'params': params()}, x, context=context))[0]
  want = np.rint(np.clip(y, 0, 1) * 255)
  have = inference.Restorer(CONFIG, params())(image).astype(float)
  assert np.abs(have - want).max() <= 1
  assert np.abs(have - image).max() > 5  # It does something.


def test_padding_leaves_the_picture_alone():
  image = picture(128, 128)
  small = image[:100, :90]
  restorer = inference.Restorer(CONFIG, params())
  # The same pixels, the same thumbnail: only the padding differs far inside.
  run = inference._compiled(lookup.model(CONFIG), inference.tasks.get('restore'))
  context = resize.thumbnail(small, inference.CONTEXT)[None]
  exact = np.asarray(run(params(), small[None], context))[0]
  have = restorer(small).astype(float)
  want = np.rint(np.clip(exact, 0, 1) * 255)
  assert np.abs(have - want)[:60, :50].max() <= 1


def test_loads_weights_files_and_names_misfits(tmp_path):
  path = str(tmp_path / 'w.safetensors')
  weights.save(path, params(), CONFIG)
  image = picture(64, 64)
  np.testing.assert_array_equal(
      inference.Restorer.load(path)(image),
      inference.Restorer(CONFIG, params())(image))
  other = tiny_config(**{'model.args.features': (8, 24)})
  weights.save(path, params(), other)
  with pytest.raises(ValueError, match='do not fit the model'):
    inference.Restorer.load(path)


def test_missing_weights_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='gone.safetensors'):
    inference.Restorer.load(str(tmp_path / 'gone.safetensors'))

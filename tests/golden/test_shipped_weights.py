"""What the shipped weights make of a small picture is what they made of it.

The pictures beside this file are the reference, held to 1/255; input.png is a
crop of a painting in the public domain (file CC0), with some damage of
`old_painting`. To write them anew, which only a change that is meant to move
results calls for: `PYTHONPATH=. python tests/golden/test_shipped_weights.py`.
"""

import pathlib
import sys

import cv2
import numpy as np
import pytest

from artjax.inference import loading
from artjax.inference import sampler

FOLDER = pathlib.Path(__file__).parent
WEIGHTS = (
  'unet',
  'detect',
  'inpaint',
  'inpaint_psnr',
  'colorize',
  'esrgan',
  'esrgan_psnr',
  'tone',
  'structure',
  'stains',
  'mnist_gan',
)


def read(name):
  """u8[H, W, 3], RGB."""
  return cv2.imread(str(FOLDER / f'{name}.png'))[..., ::-1]


def run(name):
  """What weights make of the input, u8[H, W, 3], RGB."""
  if name == 'mnist_gan':  # it has none: ten digits in a row
    draw = loading.of(*loading.load(name))
    return np.hstack(draw(sampler.latents(seed=0, count=10)))
  picture = given(name)
  if name.startswith('inpaint'):
    return load(name)(picture, hole(picture.shape[:2]))
  return load(name)(picture)


def given(name):
  """What weights are shown, u8[H, W, 3], RGB."""
  picture = read('input')
  if name.startswith('esrgan'):
    return picture[16:48, 32:64]  # its result is 16 times as large
  if name == 'structure':  # which leaves alone what is lost
    noise = np.random.default_rng(0).normal(0, 15, picture.shape)
    picture = np.uint8(np.clip(picture + noise, 0, 255))
    return cv2.line(picture, (5, 80), (90, 10), (240, 240, 230), 1)
  if name == 'tone':  # which leaves the input as it is: faded, with a cast
    return np.uint8(np.clip(0.7 * picture + [70, 40, 70], 0, 255))
  if name == 'stains':
    stain = cv2.circle(np.zeros(picture.shape[:2], np.float32), (40, 50), 25, 1)
    stain = cv2.circle(0.5 * stain, (40, 50), 25, 1.0, -1)[..., None]
    return np.uint8(picture * (1 - stain * np.float32([0.4, 0.5, 0.7])))
  return picture


def load(name):
  """The restorer of shipped weights."""
  return loading.restorer(name)


def hole(shape):
  """bool [H, W]: a box, a stroke and a few specks."""
  mask = np.zeros(shape, np.uint8)
  cv2.rectangle(mask, (12, 50), (34, 66), 1, -1)
  cv2.line(mask, (50, 8), (86, 70), 1, 2)
  mask[20:60:8, 70::11] = 1
  return mask > 0


@pytest.mark.parametrize('name', WEIGHTS)
def test_results_are_those_in_the_repository(name):
  np.testing.assert_allclose(
    np.int16(run(name)), np.int16(read(name)), rtol=0, atol=1
  )


def test_all_shipped_weights_are_here():
  shipped = (FOLDER.parent.parent / 'pretrained').glob('*.safetensors')
  assert {path.stem for path in shipped} == set(WEIGHTS)


@pytest.mark.parametrize('name', [n for n in WEIGHTS if n != 'mnist_gan'])
def test_results_are_not_the_input(name):
  made = read(name)
  if name.startswith('esrgan'):
    assert made.shape == (128, 128, 3)
  else:
    least = 20 if name in ('tone', 'stains') else 30
    assert np.abs(np.int16(made) - given(name)).max() > least


if __name__ == '__main__':
  for wanted in sys.argv[1:] or WEIGHTS:
    cv2.imwrite(str(FOLDER / f'{wanted}.png'), run(wanted)[..., ::-1])

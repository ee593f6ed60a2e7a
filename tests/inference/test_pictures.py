"""Whatever a restorer is called with comes back in its own form."""

import cv2
import numpy as np
from PIL import Image
import pytest

from artjax import inference
from artjax.inference import pictures


def values(shape, dtype=np.uint8):
  full = 255 if dtype == np.uint8 else 65535
  drawn = np.random.default_rng(0).integers(0, full, shape, endpoint=True)
  if np.dtype(dtype).kind == 'f':
    return (drawn / 65535).astype(dtype)
  return drawn.astype(dtype)


@pytest.mark.parametrize('dtype', ['u1', 'u2', 'f2', 'f4', 'f8'])
@pytest.mark.parametrize(
  'shape', [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4)]
)
def test_arrays_come_back_as_they_were(shape, dtype):
  picture = values(shape, dtype)
  given = pictures.given(picture)
  assert given.unit.shape == (5, 7, 3) and given.unit.dtype == np.float32
  assert given.unchanged is picture
  back = given.result(given.unit)
  assert back.shape == shape and back.dtype == dtype
  tolerance = 0 if dtype[0] == 'u' else 1e-3 if dtype == 'f2' else 1e-6
  np.testing.assert_allclose(back, picture, atol=tolerance)


@pytest.mark.parametrize('mode', ['L', 'LA', 'RGB', 'RGBA', 'I;16'])
def test_pil_images_come_back_as_such(mode):
  shape = (5, 7) if mode in ('L', 'I;16') else (5, 7, len(mode))
  array = values(shape, np.uint16 if mode == 'I;16' else np.uint8)
  given = pictures.given(Image.fromarray(array))
  back = given.result(given.unit)
  assert isinstance(back, Image.Image) and back.mode == mode
  np.testing.assert_array_equal(np.asarray(back), array)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_a_path_is_read_as_rgb_of_its_depth(tmp_path, dtype):
  picture = values([5, 7, 3], dtype)
  for path in (tmp_path / 'a.png', str(tmp_path / 'a.png')):
    cv2.imwrite(str(path), picture[..., ::-1])
    given = pictures.given(path)
    np.testing.assert_array_equal(given.unchanged, picture)
    np.testing.assert_array_equal(given.result(given.unit), picture)


def test_grey_stays_grey_unless_it_is_coloured():
  grey = values([5, 7])
  given = pictures.given(grey)
  red = np.zeros([5, 7, 3], np.float32) + np.float32([1, 0, 0])
  assert (given.result(red) == 76).all()  # its luma
  assert given.result(red, in_colour=True).shape == (5, 7, 3)


def test_alpha_is_carried_and_grows_with_the_picture():
  picture = values([5, 7, 4])
  picture[..., 3] = 200
  given = pictures.given(picture)
  back = given.result(given.unit.repeat(4, 0).repeat(4, 1))
  assert back.shape == (20, 28, 4) and (back[..., 3] == 200).all()
  np.testing.assert_array_equal(back[::4, ::4, :3], picture[..., :3])


def test_known_pixels_stay_to_the_bit():
  picture = values([5, 7, 3], np.float64)
  changed = np.zeros([5, 7], bool)
  changed[2, 3] = True
  back = pictures.given(picture).result(
    np.zeros([5, 7, 3], np.float32), changed=changed
  )
  assert (back[2, 3] == 0).all()
  np.testing.assert_array_equal(back[~changed], picture[~changed])


@pytest.mark.parametrize(
  'picture, message',
  [
    (np.zeros([4, 4, 3], np.int64), r'a picture of int64 \[4, 4, 3\]: give'),
    (np.zeros([4, 4, 3], bool), 'a picture of bool'),
    (np.zeros([4, 4, 5], np.uint8), r'uint8 \[4, 4, 5\]'),
    (np.zeros([2, 4, 4, 3], np.uint8), r'uint8 \[2, 4, 4, 3\]'),
    (np.zeros([0, 4, 3], np.uint8), 'it has no pixels'),
    (np.full([4, 4, 3], 255.0), 'from 255 to 255: floats must be in'),
    (np.full([4, 4, 3], np.nan), 'from nan to nan'),
    (np.full([4, 4], -0.1), 'from -0.1 to -0.1'),
    ([[1, 2], [3, 4]], 'not a list'),
    (Image.new('CMYK', (4, 4)), "mode 'CMYK': convert it to one of L, LA"),
    (Image.new('I', (4, 4)), "mode 'I'"),
    ('gone.png', 'gone.png: No such file'),
  ],
)
def test_anything_else_is_refused_in_one_line(picture, message):
  with pytest.raises(ValueError, match=message) as error:
    pictures.given(picture)
  assert '\n' not in str(error.value)


def test_weights_restore_all_of_them(tmp_path):
  """The same picture in any form gives the same result."""
  picture = np.uint8(values([24, 31, 3]) * np.array([0.7, 0.6, 0.3]))
  restorer = inference.restorer('tone')
  image = Image.fromarray(picture)
  image.save(tmp_path / 'a.png')
  # Some change, which depends on nothing but the pixels.
  parameters = 0.3 + 0 * restorer.transform(picture / 255)[0]
  restorer.transform = lambda whole: (parameters, 1.0)
  wanted = restorer(picture)
  assert not np.array_equal(wanted, picture)
  np.testing.assert_array_equal(restorer(image), wanted)
  np.testing.assert_array_equal(restorer(tmp_path / 'a.png'), wanted)
  unit = restorer(picture / 255)
  np.testing.assert_allclose(unit * 255, wanted, atol=0.51)
  rgba = restorer(np.dstack([picture, picture[..., 0]]))
  np.testing.assert_array_equal(rgba[..., :3], wanted)
  np.testing.assert_array_equal(rgba[..., 3], picture[..., 0])
  assert restorer(picture[..., 0]).shape == (24, 31)

"""Decoding: every flavour becomes u8 RGB; damage is noticed."""

import cv2
import numpy as np
import pytest

from artjax.data.sources import decode


def _picture(height=40, width=56, channels=3, dtype=np.uint8):
  values = np.random.default_rng(0).integers(
    0, np.iinfo(dtype).max, (height, width, channels), dtype, endpoint=True
  )
  return values[..., 0] if channels == 1 else values


def _encode(suffix, picture, *parameters):
  """RGB(A) or grey -> bytes."""
  if picture.ndim == 3:
    picture = picture[..., [2, 1, 0] + list(range(3, picture.shape[2]))]
  return cv2.imencode(suffix, picture, parameters)[1].tobytes()


def _smooth():
  return cv2.GaussianBlur(_picture(120, 160), (0, 0), 5)


@pytest.mark.parametrize('suffix', ['.png', '.tiff'])
def test_lossless_round_trip(suffix):
  picture = _picture()
  decoded = decode.decode(_encode(suffix, picture))
  assert decoded.dtype == np.uint8 and not decoded.flags.writeable
  np.testing.assert_array_equal(decoded, picture)


@pytest.mark.parametrize(
  'suffix, kind',
  [('.jpg', 'JPEG'), ('.png', 'PNG'), ('.tif', 'TIFF'), ('.webp', 'WebP')],
)
def test_types_and_colours(suffix, kind):
  data = _encode(suffix, _smooth())
  assert decode.file_type(data[: decode.HEAD]) == kind
  difference = decode.decode(data).astype(int) - _smooth()
  assert np.abs(difference).mean() < 3


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_sixteen_bit_is_rounded(suffix):
  picture = _picture(dtype=np.uint16)
  picture[0, :4] = [[0] * 3, [65535] * 3, [128] * 3, [129] * 3]
  decoded = decode.decode(_encode(suffix, picture))
  np.testing.assert_array_equal(decoded, np.rint(picture / 257.0))
  grey = picture[..., 0]
  np.testing.assert_array_equal(
    decode.decode(_encode(suffix, grey)),
    np.repeat(np.rint(grey / 257.0)[..., None], 3, axis=-1),
  )


def test_grey_is_repeated_and_alpha_dropped():
  grey = _picture(channels=1)
  np.testing.assert_array_equal(
    decode.decode(_encode('.png', grey)), np.stack([grey] * 3, -1)
  )
  rgba = _picture(channels=4)
  np.testing.assert_array_equal(
    decode.decode(_encode('.png', rgba)), rgba[..., :3]
  )


def test_exif_orientation_turns_the_picture():
  data = _encode('.jpg', _smooth())
  exif = (
    b'Exif\0\0MM\0*\0\0\0\x08\0\x01'  # one tag:
    b'\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0'
  )  # orientation 6
  segment = b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif
  turned = decode.decode(data[:2] + segment + data[2:])
  np.testing.assert_array_equal(turned, np.rot90(decode.decode(data), -1))


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp'])
@pytest.mark.parametrize('share', [0.02, 0.5, 0.95])
def test_truncation_is_noticed(suffix, share):
  data = _encode(suffix, _smooth())
  with pytest.raises(decode.Unreadable, match='truncated'):
    decode.decode(data[: max(decode.HEAD, int(share * len(data)))])


def test_jpeg_without_its_end_is_noticed_by_the_markers(monkeypatch):
  # Whatever OpenCV's version thinks of it.
  monkeypatch.setattr(cv2, 'imdecode', lambda *args: pytest.fail('decoded'))
  data = _encode('.jpg', _smooth(), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
  thumbnail = b'\xff\xe2\x00\x06\xff\xd8\xff\xd9'  # its end is not ours
  for broken in (
    data[:-2],
    data[:-2] + b'\0' * 500,
    data[:2] + thumbnail + data[2:-2],
  ):
    with pytest.raises(decode.Unreadable, match='end-of-image'):
      decode.decode(broken)


def test_what_follows_the_end_of_a_jpeg_is_ignored():
  data = _encode('.jpg', _smooth(), cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
  np.testing.assert_array_equal(
    decode.decode(data + b'appended'), decode.decode(data)
  )


def test_flipped_bit_in_png_is_noticed():
  data = bytearray(_encode('.png', _smooth()))
  data[len(data) // 2] ^= 4
  with pytest.raises(decode.Unreadable, match='checksum'):
    decode.decode(bytes(data))


@pytest.mark.parametrize(
  'data, reason',
  [
    (b'', 'empty file'),
    (b'just some text in a file', decode.NOT_A_PICTURE),
    (b'GIF89a' + b'\0' * 20, decode.NOT_A_PICTURE),
    (b'\xff\xd8\xff\xd9', 'damaged JPEG|truncated JPEG'),
  ],
)
def test_other_contents_are_refused(data, reason):
  with pytest.raises(decode.Unreadable, match=reason):
    decode.decode(data)


def test_float_pixels_are_refused():
  data = cv2.imencode('.tiff', np.ones((40, 40, 3), np.float32))[1].tobytes()
  with pytest.raises(decode.Unreadable, match='float32'):
    decode.decode(data)

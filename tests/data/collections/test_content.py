"""What is no picture, and how alike two are."""

import struct
import zlib

import cv2
from museum_server import as_picture
import numpy as np
import pytest

from artjax.data.collections import content
from artjax.data.collections import duplicates
from artjax.data.collections.base import FetchError


def test_a_picture_is_described():
  data = as_picture(1, 80, 120).body
  found = content.inspect(data, 1e6)
  assert (found.extension, found.width, found.height) == ('.jpg', 120, 80)
  assert len(found.sha256) == 64 and len(found.dhash) == 16


@pytest.mark.parametrize('kind', ['.png', '.webp', '.tif'])
def test_the_extension_follows_the_content(kind):
  data = cv2.imencode(kind, np.full((9, 9, 3), 7, np.uint8))[1].tobytes()
  assert content.inspect(data, 1e6).extension == kind


@pytest.mark.parametrize(
  'data, message',
  [
    (b'', 'empty file'),
    (b'<html><body>Please log in</body></html>', 'not a JPEG, PNG, TIFF or'),
    (b'GIF89a' + bytes(50), 'not a JPEG'),
    (as_picture(1).body[:-300], 'truncated JPEG'),
    (as_picture(1).body[:20], 'damaged JPEG|truncated JPEG'),
    (b'\x89PNG\r\n\x1a\n' + bytes(40), 'damaged PNG|truncated PNG'),
    (b'II*\0' + bytes(20), 'damaged TIFF'),
    (b'RIFF\x04\0\0\0WEBPVP8 ' + bytes(4), 'damaged WebP'),
  ],
)
def test_what_is_no_picture(data, message):
  with pytest.raises(FetchError, match=message):
    content.inspect(data, 1e6)


def png(width, height):
  """The head of a picture of any size, with nothing behind it."""
  chunk = lambda kind, data: (
    struct.pack('>I', len(data))
    + kind
    + data
    + struct.pack('>I', zlib.crc32(kind + data))
  )
  head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
  return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IEND', b'')


@pytest.mark.parametrize('size', [(2000, 2000), (30000, 30000), (65535, 65535)])
def test_many_pixels_are_refused_before_decoding(size, monkeypatch):
  monkeypatch.setattr(content.decode, 'decode', None)  # not even called
  with pytest.raises(FetchError, match='more than 1 megapixels'):
    content.inspect(png(*size), 1e6)


def test_copies_of_another_size_look_alike():
  picture = cv2.imdecode(
    np.frombuffer(as_picture(3, 300, 400).body, np.uint8), cv2.IMREAD_COLOR_RGB
  )
  small = cv2.resize(picture, (133, 100), interpolation=cv2.INTER_AREA)
  bits = lambda p: int(content.difference_hash(p), 16)
  assert (bits(picture) ^ bits(small)).bit_count() <= 4
  assert (bits(picture) ^ bits(picture[:, ::-1])).bit_count() > 16


def entry(file, sha, dhash):
  return {'file': file, 'sha256': sha, 'dhash': f'{dhash:016x}'}


def test_groups_of_copies():
  rng = np.random.default_rng(0)
  values = [int(v) for v in rng.integers(1, 2**63, 200)]
  pictures = [entry(f'{i:03}', str(i), v) for i, v in enumerate(values)]
  assert duplicates.find(pictures) == []
  near = values[7] ^ 0b1000000000000000000100000000000010000000000001
  assert duplicates.find(
    [
      *pictures,
      entry('900', 'x', near),
      entry('901', 'y', near ^ 2**60),  # 5 bits from 007, 1 from 900
      entry('902', '3', values[3]),
      entry('903', 'z', values[9] ^ 0b10101010101),  # 6 bits
      entry('904', 'f', 0),
      entry('905', 'g', 0),  # flat
    ]
  ) == [
    {'same': 'bytes', 'files': ['003', '902']},
    {'same': 'look', 'files': ['007', '900', '901']},
  ]

"""Windows and copies of a picture, and the files that hold them."""

import hashlib

import cv2
import numpy as np
import pytest

from artjax.data.prepare import subimages
from artjax.data.prepare.subimages import Settings
from artjax.data.sources import decode


def noise(height, width, seed=0):
  return np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), np.uint8
  )


def basicsr(side, crop, step, threshold):
  """Where BasicSR's extract_subimages begins its windows along a side."""
  offsets = np.arange(0, side - crop + 1, step)
  if side - (offsets[-1] + crop) > threshold:
    offsets = np.append(offsets, side - crop)
  return offsets.tolist()


@pytest.mark.parametrize(
  'crop, step, threshold',
  [(48, 24, 0), (40, 20, 0), (48, 24, 10), (32, 32, 0), (30, 7, 3)],
)
def test_windows_are_those_of_basicsr(crop, step, threshold):
  settings = Settings(crop, step, threshold, min_size=8)
  for height, width in (48, 48), (49, 100), (95, 96), (97, 200):
    picture = noise(height, width)
    kept, dropped = subimages.cut(picture, settings)
    assert dropped == 0
    assert [label for label, _ in kept] == [
      f'1+{left}+{top}'
      for top in basicsr(height, crop, step, threshold)
      for left in basicsr(width, crop, step, threshold)
    ]
    for label, window in kept:
      left, top = map(int, label.split('+')[1:])
      np.testing.assert_array_equal(
        window, picture[top : top + crop, left : left + crop]
      )
      assert window.shape == (crop, crop, 3)


@pytest.mark.parametrize(
  'height, width, labels',
  [
    (40, 47, ['1+0+0']),
    (40, 90, ['1+0+0', '1+24+0', '1+42+0']),
    (48, 48, ['1+0+0']),
    (49, 20, ['1+0+0', '1+0+1']),
  ],
)
def test_a_short_side_is_kept_whole(height, width, labels):
  kept, _ = subimages.cut(noise(height, width), Settings(48, 24, min_size=8))
  assert [label for label, _ in kept] == labels
  assert {window.shape for _, window in kept} == {
    (min(48, height), min(48, width), 3)
  }


def test_copies_are_smaller_and_antialiased():
  checks = np.indices((120, 160)).sum(0) % 2 * np.uint8(255)
  picture = np.repeat(checks[..., None].astype(np.uint8), 3, 2)
  kept, _ = subimages.cut(
    picture,
    Settings(
      200, 200, scales=(0.75, 0.5, 0.333, 0.25), shortest=80, min_size=32
    ),
  )
  shapes = {label.partition('+')[0]: w.shape[:2] for label, w in kept}
  assert shapes == {
    '1': (120, 160),
    '0.75': (90, 120),
    '0.5': (60, 80),
    '0.333': (40, 53),
    '80px': (80, 107),
  }  # 0.25: too small
  windows = dict(kept)
  assert np.ptp(windows['1+0+0']) == 255
  assert np.ptp(windows['0.5+0+0']) <= 1  # the finest checks become grey
  # A picture whose shorter side is that or less has no such copy.
  kept, _ = subimages.cut(picture, Settings(200, 200, shortest=120))
  assert len(kept) == 1


def test_flat_sub_images_are_dropped_and_counted():
  picture = np.full((64, 128, 3), 90, np.uint8)
  picture[:, 64:] = noise(64, 64)
  kept, dropped = subimages.cut(picture, Settings(64, 64, min_std=5))
  assert [label for label, _ in kept] == ['1+64+0'] and dropped == 1
  luma = cv2.cvtColor(picture[:, 64:], cv2.COLOR_RGB2GRAY).std()
  for margin, number in (-0.01, 1), (0.01, 0):
    kept, _ = subimages.cut(picture, Settings(64, 64, min_std=luma + margin))
    assert len(kept) == number
  kept, dropped = subimages.cut(picture, Settings(64, 64))
  assert len(kept) == 2 and dropped == 0


def cut_file(folder, data, settings):
  """(summary, part as {label: picture}) of the bytes of a picture file."""
  (folder / 'picture').write_bytes(data)
  part = str(folder / 'parts' / 'a')
  subimages.cut_file(
    str(folder / 'picture'), hashlib.sha256(data).digest(), part, settings
  )
  return subimages.read_summary(part), {
    label: decode.decode(png) for label, png in subimages.read_part(part)
  }


def test_a_part_holds_what_was_cut(tmp_path):
  picture = noise(70, 80)
  data = cv2.imencode('.png', picture[..., ::-1])[1].tobytes()
  settings = Settings(48, 24, scales=(0.5,))
  summary, part = cut_file(tmp_path, data, settings)
  kept, _ = subimages.cut(picture, settings)
  assert summary == {'reason': '', 'kept': len(kept), 'dropped': 0}
  assert list(part) == [label for label, _ in kept]
  for label, window in kept:
    np.testing.assert_array_equal(part[label], window)


def test_what_cannot_be_used_has_a_part_with_the_reason(tmp_path):
  data = cv2.imencode('.png', noise(31, 80))[1].tobytes()
  summary, part = cut_file(tmp_path, data, Settings())
  assert not part and summary == {
    'reason': 'too small: 80 x 31 px, min_size is 32',
    'kept': 0,
    'dropped': 0,
  }
  summary, _ = cut_file(tmp_path, data[:-30], Settings())
  assert summary['reason'] == 'truncated PNG: no end chunk'
  with pytest.raises(ValueError, match='changed meanwhile'):
    subimages.cut_file(
      str(tmp_path / 'picture'), b'other', str(tmp_path / 'part'), Settings()
    )
  assert not (tmp_path / 'part').exists()


@pytest.mark.parametrize(
  'fields, message',
  [
    ({'crop': 0}, 'crop=0 is less than 1'),
    ({'step': 0}, 'step=0 is less than 1'),
    ({'step': 481}, 'step=481 is more than crop=480'),
    ({'threshold': -1}, 'threshold=-1'),
    ({'min_std': float('nan')}, 'min_std=nan'),
    ({'min_size': 500}, 'min_size=500 is more than crop=480'),
    ({'scales': (0.5, 1.0)}, 'scales: 1 is not between 0 and 1'),
    ({'scales': (0.5, 0.5)}, 'given twice'),
  ],
)
def test_settings_that_cannot_be_are_refused(fields, message):
  with pytest.raises(ValueError, match=message):
    Settings(**fields)

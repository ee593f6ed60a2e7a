"""Tests of the metrics: published values, values by hand, refusals."""

from conftest import shared
import cv2
import numpy as np
import pytest

from artjax import colour
from artjax.evaluation import metrics
from artjax.models import encoders
from artjax.resampling import imresize

ALL = [
  'psnr_rgb',
  'psnr_y',
  'ssim_rgb',
  'ssim_y',
  'mae',
  'accuracy',
  'lpips',
  'average_precision',
  'mask_iou',
  'gms_y',
  'ciede2000',
  'psnr_ab',
  'colourfulness',
  'lightness_shift',
  'chroma_gain',
]

# Bicubic x4 of the low-resolution picture, crop 4, as BasicSR publishes.
GOLDEN = {
  'baboon': {
    'psnr_rgb': 20.419710,
    'ssim_rgb': 0.391853,
    'psnr_y': 22.441898,
    'ssim_y': 0.453097,
  },
  'comic': {
    'psnr_rgb': 20.239912,
    'ssim_rgb': 0.567738,
    'psnr_y': 21.720398,
    'ssim_y': 0.585511,
  },
}


def _noise(seed=0, shape=(2, 44, 37, 3)):
  return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize('name', sorted(GOLDEN))
def test_golden(name):
  target, small = (
    cv2.imread(str(shared(f'golden/{kind}_{name}.png')))[..., ::-1]
    for kind in ('gt', 'lq')
  )
  pred = imresize(small, 4)
  for metric, value in GOLDEN[name].items():
    got = getattr(metrics, metric)(pred[None], target[None], crop=4)
    np.testing.assert_allclose(got, [value], atol=1e-5, err_msg=metric)


@pytest.mark.parametrize('name', ALL)
def test_one_float64_a_picture(name):
  metric = getattr(metrics, name)
  pred, target = _noise(0), _noise(1)
  both = metric(pred, target)
  assert both.shape == (2,) and both.dtype == np.float64
  for i in range(2):
    alone = metric(pred[i : i + 1], target[i : i + 1])
    np.testing.assert_allclose(both[i], alone[0], rtol=1e-6)
  assert both[0] != both[1]


@pytest.mark.parametrize('name', ALL)
def test_crop_is_taken_first(name):
  metric = getattr(metrics, name)
  pred, target = _noise(0), _noise(1)
  cut = np.s_[:, 3:-3, 3:-3]
  np.testing.assert_allclose(
    metric(pred, target, crop=3), metric(pred[cut], target[cut]), rtol=1e-6
  )
  # What happens in the border does not count.
  other = pred.copy()
  other[:, :3] = 255 - other[:, :3]
  np.testing.assert_array_equal(
    metric(other, target, crop=3), metric(pred, target, crop=3)
  )


@pytest.mark.parametrize(
  'name, value',
  [
    ('psnr_rgb', np.inf),
    ('psnr_y', np.inf),
    ('ssim_rgb', 1),
    ('ssim_y', 1),
    ('mae', 0),
    ('accuracy', 1),
    ('lpips', 0),
    ('ciede2000', 0),
    ('psnr_ab', np.inf),
    ('colourfulness', 1),
    ('lightness_shift', 0),
    ('chroma_gain', 0),
  ],
)
def test_equal_pictures(name, value):
  image = _noise()
  np.testing.assert_allclose(
    getattr(metrics, name)(image, image.copy()), [value] * 2, atol=1e-12
  )


@pytest.mark.parametrize('name', ALL)
def test_refuses(name):
  metric = getattr(metrics, name)
  image = _noise()
  with pytest.raises(ValueError, match='differ in shape'):
    metric(image, image[:1])  # would broadcast
  with pytest.raises(ValueError, match='float32'):
    metric(image, image.astype(np.float32))
  with pytest.raises(ValueError, match='RGB'):
    metric(image[..., :1], image[..., :1])
  with pytest.raises(ValueError, match='RGB'):
    metric(image[0], image[0])
  with pytest.raises(ValueError, match='crop=19'):
    metric(image, image, crop=19)
  with pytest.raises(ValueError, match='crop=-1'):
    metric(image, image, crop=-1)


@pytest.mark.parametrize('name', ['ssim_rgb', 'ssim_y', 'lpips'])
def test_refuses_pictures_smaller_than_the_window(name):
  image = _noise(shape=(1, 10, 40, 3))
  with pytest.raises(ValueError, match='10x40'):
    getattr(metrics, name)(image, image)


def test_psnr_by_hand():
  target = np.zeros((1, 2, 2, 3), np.uint8)
  pred = target.copy()
  pred[0, 0, 0, 1] = 12  # green: MSE 144 / 12 = 12
  np.testing.assert_allclose(
    metrics.psnr_rgb(pred, target), [10 * np.log10(65025 / 12)]
  )
  luma = 12 * 128.553 / 255  # not rounded
  np.testing.assert_allclose(
    metrics.psnr_y(pred, target), [10 * np.log10(65025 / (luma**2 / 4))]
  )


def test_luma_spans_16_to_235():
  # Red, green and blue sum to 219 levels.
  black = np.zeros((1, 1, 1, 3), np.uint8)
  np.testing.assert_allclose(
    metrics.psnr_y(black, black + 255), [20 * np.log10(255 / 219)]
  )


def test_ssim_of_flat_pictures_by_hand():
  # Without variance only the luminance term is left.
  low, high = 100.0, 150.0
  expected = (2 * low * high + 2.55**2) / (low**2 + high**2 + 2.55**2)
  pred = np.full((1, 16, 16, 3), int(low), np.uint8)
  target = np.full((1, 16, 16, 3), int(high), np.uint8)
  np.testing.assert_allclose(
    metrics.ssim_rgb(pred, target), [expected], rtol=1e-9
  )


def test_mae_by_hand():
  target = np.zeros((1, 2, 2, 3), np.uint8)
  pred = target.copy()
  pred[0, 1, 1] = 51, 102, 0
  np.testing.assert_allclose(metrics.mae(pred, target), [153 / 255 / 12])
  # No wrap-around, whichever is larger.
  np.testing.assert_allclose(metrics.mae(target, pred), [153 / 255 / 12])


def test_accuracy_by_hand():
  pred = np.array([[3, 2, 1], [1, 9, 9], [5, 5, 5], [0, 0, 7]], np.uint8)
  # same; green by the tie; red by the tie, against blue; red against blue
  target = np.array([[9, 0, 0], [0, 4, 1], [0, 1, 2], [8, 0, 7]], np.uint8)
  shape = (1, 2, 2, 3)
  np.testing.assert_allclose(
    metrics.accuracy(pred.reshape(shape), target.reshape(shape)), [0.5]
  )


def test_lpips_takes_weights_and_orders_damage():
  rng = np.random.default_rng(0)
  target = cv2.resize(_noise(shape=(8, 8, 3)), (64, 64))[None]
  preds = [
    np.clip(target + rng.normal(0, sigma, target.shape), 0, 255).astype(
      np.uint8
    )
    for sigma in (5, 60)
  ]
  weak, strong = (metrics.lpips(pred, target)[0] for pred in preds)
  assert 0 < weak < strong
  params = encoders.load('alexnet')
  given = metrics.lpips(preds[0], target, frozen=params)
  np.testing.assert_allclose(given, [weak], rtol=1e-6)
  # The heads are linear: twice the heads, twice the distance.
  twice = dict(params, lpips={k: 2 * v for k, v in params['lpips'].items()})
  np.testing.assert_allclose(
    metrics.lpips(preds[0], target, frozen=twice), [2 * weak], rtol=1e-5
  )


def _masks(probabilities, damaged):
  """(pred, target) u8[1, 1, N, 3]: probabilities and damage, a channel each."""
  pred, target = np.zeros((2, 1, 1, len(probabilities), 3), np.uint8)
  pred[0, 0, :, 2] = probabilities
  target[0, 0, :, 0] = 255 * np.array(damaged, np.uint8)
  return pred, target


def test_average_precision_by_hand():
  # In the order of the probabilities: right, wrong, right and (equal) wrong.
  pair = _masks([250, 200, 100, 100, 0], [1, 0, 1, 0, 0])
  np.testing.assert_allclose(
    metrics.average_precision(*pair), [0.5 * 1 + 0.5 * 2 / 4]
  )
  np.testing.assert_allclose(
    metrics.average_precision(*_masks([255, 9, 0], [1, 1, 0])), [1]
  )
  # Everything is marked before the last of the damage is found.
  np.testing.assert_allclose(
    metrics.average_precision(*_masks([0, 0, 0, 0], [1, 0, 0, 0])), [0.25]
  )


def test_average_precision_where_nothing_is_damaged():
  assert metrics.average_precision(*_masks([0, 0], [0, 0])) == [1]
  assert metrics.average_precision(*_masks([0, 1], [0, 0])) == [0]


def test_precision_and_recall_from_each_level_on():
  damaged, sound = np.zeros((2, 256), int)
  damaged[[200, 100]] = 3, 1
  sound[[150, 0]] = 2, 10
  precision, recall, average = metrics.precision_recall(damaged, sound)
  np.testing.assert_allclose(
    precision[[200, 150, 100, 0]], [1, 3 / 5, 4 / 6, 4 / 16]
  )
  np.testing.assert_allclose(recall[[201, 200, 101, 100]], [0, 0.75, 0.75, 1])
  assert np.isnan(precision[201])
  np.testing.assert_allclose(average, 0.75 + 0.25 * 4 / 6)


def test_mask_iou_by_hand():
  np.testing.assert_allclose(
    metrics.mask_iou(*_masks([128, 255, 127, 0], [1, 0, 1, 0])), [1 / 3]
  )
  np.testing.assert_allclose(metrics.mask_iou(*_masks([3, 0], [0, 0])), [1])


def test_gms_is_one_for_equal_edges_whatever_the_level():
  target = _noise(3)[:1] // 2
  np.testing.assert_allclose(metrics.gms_y(target, target), 1)
  np.testing.assert_allclose(metrics.gms_y(target + 40, target), 1, atol=1e-6)


def test_gms_by_hand():
  # A step from 0 to 255 against none: luma 219 of Prewitt's thirds, three rows.
  pred, target = np.zeros((2, 1, 12, 16, 3), np.uint8)
  pred[:, :, 8:] = 255
  # 2 x 2 means are 6 x 8; of its 4 x 6 inside, 2 columns see the whole step.
  step = 170 / (219.0**2 + 170)
  value = (4 * 2 * step + 4 * 4) / 24
  np.testing.assert_allclose(metrics.gms_y(pred, target), value, rtol=1e-6)


def test_gms_sees_moved_edges():
  target = np.zeros([1, 40, 40, 3], np.uint8)
  target[:, 10:30, 10:30] = 200
  near, far = np.roll(target, 2, 2), np.roll(target, 8, 2)
  assert 1 > metrics.gms_y(near, target) > metrics.gms_y(far, target)
  with pytest.raises(ValueError, match='6 px'):
    metrics.gms_y(target[:, :5], target[:, :5])


def test_ciede2000_is_the_mean_over_pixels():
  pred, target = _noise(0, (1, 5, 6, 3)), _noise(1, (1, 5, 6, 3))
  lab = [colour.srgb_to_lab(x / np.float32(255)) for x in (pred, target)]
  np.testing.assert_allclose(
    metrics.ciede2000(pred, target), [colour.ciede2000(*lab).mean()], rtol=1e-5
  )


def test_lightness_and_chroma_by_hand():
  grey = np.full([1, 8, 8, 3], 119, np.uint8)  # L* 50
  white = np.full_like(grey, 255)
  half = grey.copy()
  half[:, :4] = 255
  for other, shift in ((white, 50), (half, 25)):
    for pair in ((grey, other), (other, grey)):
      np.testing.assert_allclose(
        metrics.lightness_shift(*pair), [shift], atol=0.2
      )
      np.testing.assert_allclose(metrics.chroma_gain(*pair), [0], atol=0.05)
  red = np.zeros_like(grey)
  red[..., 0] = 255
  np.testing.assert_allclose(metrics.chroma_gain(red, grey), [104.6], atol=0.2)
  np.testing.assert_allclose(metrics.chroma_gain(grey, red), [0], atol=1e-6)


def test_psnr_ab_by_hand_and_blind_to_lightness():
  target = np.full((1, 8, 8, 3), 130, np.uint8)
  assert metrics.psnr_ab(target + 40, target)[0] > 80
  red = target + np.uint8([60, 0, 0])
  lab = colour.srgb_to_lab(np.float32([[130] * 3, [190, 130, 130]]) / 255)
  error = np.square(lab[1, 1:] - lab[0, 1:]).mean()
  np.testing.assert_allclose(
    metrics.psnr_ab(red, target), [10 * np.log10(255**2 / error)], rtol=1e-4
  )


def test_colourfulness_by_hand():
  # Half red, half grey: r - g is 200 and 0, (r + g) / 2 - b is 100 and 0.
  target = np.zeros((1, 4, 4, 3), np.uint8)
  target[:, :2, :, 0] = 200
  spread = np.hypot(100, 50)  # standard deviations, and also the means
  grey = np.zeros_like(target)
  np.testing.assert_allclose(
    metrics.colourfulness(target, grey), [1.3 * spread]
  )
  np.testing.assert_allclose(metrics.colourfulness(target // 2, target), [0.5])
  np.testing.assert_allclose(metrics.colourfulness(grey, target), [0])


def test_a_mask_leaves_out_what_is_not_in_it():
  target = _noise(0)
  mask = np.zeros(target.shape[:3], bool)
  mask[:, 12:30, 10:25] = True
  inside, outside = target.copy(), target.copy()
  inside[mask] //= 2
  outside[~mask] //= 2
  for name in ('psnr_rgb', 'ssim_rgb', 'lpips'):
    metric = getattr(metrics, name)
    worse = metric(inside, target, mask=mask)
    assert worse.shape == (2,) and worse.dtype == np.float64
    whole = metric(inside, target)
    everywhere = metric(inside, target, mask=np.ones_like(mask))
    np.testing.assert_allclose(everywhere, whole, rtol=1e-5)
    if name == 'lpips':
      assert (worse > 1.3 * whole).all()
    else:
      assert (worse < whole).all()
  assert (metrics.psnr_rgb(outside, target, mask=mask) == np.inf).all()
  error = np.square(inside.astype(float) - target)[mask].reshape(2, -1)
  np.testing.assert_allclose(
    metrics.psnr_rgb(inside, target, mask=mask),
    10 * np.log10(255**2 / error.mean(1)),
  )
  # No window is centred in the outermost 5 px.
  rim = np.zeros_like(mask)
  rim[:, :5] = True
  assert np.isnan(metrics.ssim_rgb(inside, target, mask=rim)).all()

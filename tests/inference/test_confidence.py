"""What a network says of its errors, and what errors were found."""

from conftest import confident_config
from conftest import random_params
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.inference import confidence
from artjax.inference import loading
from artjax.inference.passes import self_ensemble
from artjax.interop import safetensors_io


def pixels(n=200_000, seed=0):
  """(log b, error, square): Laplace errors twice as large as is said."""
  rng = np.random.default_rng(seed)
  log_scale = rng.uniform(np.log(0.005), np.log(0.1), n)
  error = np.abs(rng.laplace(0, 2 * np.exp(log_scale))) * 255
  return log_scale, error, error**2


@pytest.fixture(scope='module')
def calibration():
  return confidence.Calibration.fit(*pixels())


def test_tables_are_those_of_the_distribution(calibration):
  middle = np.log(0.02)
  levels = 2 * 0.02 * 255  # the mean of |e|
  of = lambda table: float(calibration.expected(table, middle))
  assert of('error') == pytest.approx(levels, rel=0.05)
  assert of('within') == pytest.approx(levels * np.log(5), rel=0.05)
  assert of('right') == pytest.approx(1 - np.exp(-5.5 / levels), rel=0.05)
  assert of('square') == pytest.approx(2 * levels**2, rel=0.1)
  assert np.all(np.diff(calibration.log_scale) > 0)
  assert np.all(np.diff(calibration.within) >= 0)
  assert np.all(np.diff(calibration.right) <= 0)


def test_of_others_80_percent_are_within(calibration):
  log_scale, error, _ = pixels(seed=1)
  target = np.zeros([400, 500, 3], np.uint8)
  restored = np.repeat(error.reshape(400, 500, 1), 3, -1) / 255
  found = calibration.measured(log_scale.reshape(400, 500), restored, target)
  assert found['within_80'] == pytest.approx(0.8, abs=0.01)
  assert found['right'] == pytest.approx(found['right_expected'], abs=0.01)
  assert found['error'] == pytest.approx(found['error_expected'], rel=0.03)
  assert found['psnr'] == pytest.approx(found['psnr_expected'], abs=0.4)


def test_a_scale_that_says_nothing_gets_the_errors_of_all():
  log_scale, error, square = pixels()
  rng = np.random.default_rng(2)
  found = confidence.Calibration.fit(rng.permutation(log_scale), error, square)
  assert np.quantile(error, 0.8) == pytest.approx(found.within[0], rel=0.03)
  assert np.quantile(error, 0.8) == pytest.approx(found.within[-1], rel=0.03)
  parts = [np.array([v]) for v in (1.0, 3.0, 2.0, 5.0, 1.0, 3.0)]
  np.testing.assert_allclose(
    confidence._rising(np.mean, parts), [1, 2.5, 2.5, 3, 3, 3]
  )


def test_errors_are_of_the_worst_channel_in_levels():
  target = np.full([1, 1, 3], 100, np.uint8)
  restored = np.float32([[[104, 100, 92]]]) / 255
  error, square = confidence.errors(restored, target)
  np.testing.assert_allclose(error, [[8]], rtol=1e-4)
  np.testing.assert_allclose(square, [[(16 + 64) / 3]], rtol=1e-4)
  assert confidence.psnr(1.0) == pytest.approx(48.13, abs=0.01)


@pytest.fixture(scope='module')
def restorer(calibration):
  config = confident_config()
  with config.unlocked():
    config.update(calibration.as_json())
  return loading.of(config, random_params(registry.model(config), 0.2))


def test_a_file_carries_it_and_keeps_type_and_weights(
  tmp_path, calibration, restorer
):
  path = str(tmp_path / 'a.safetensors')
  config = confident_config()
  safetensors_io.save(path, restorer.params, config, dtype='float16', step=7)
  before, weights, _ = safetensors_io.load(path)
  size = (tmp_path / 'a.safetensors').stat().st_size
  assert confidence.Calibration.of(before) is None
  safetensors_io.annotate(path, **calibration.as_json())
  after, same, step = safetensors_io.load(path)
  assert confidence.Calibration.of(after) == calibration and step == 7
  assert safetensors_io.sha256(same) == safetensors_io.sha256(weights)
  more = len(str(calibration.as_json())) + 1000
  assert (tmp_path / 'a.safetensors').stat().st_size < size + more
  again = str(tmp_path / 'b.safetensors')
  safetensors_io.save(again, same, after)  # as `artjax export` does
  assert loading.restorer(again).calibration == calibration
  blend = f'{again}:0.5+{path}:0.5'  # has other errors than either
  assert loading.restorer(blend).calibration is None


def test_a_restorer_gives_picture_and_scale(restorer):
  picture = np.random.default_rng(0).integers(
    0, 256, [150, 300, 3], dtype=np.uint8
  )
  restored, log_scale = restorer.with_scale(picture)
  assert restored.shape == (150, 300, 3) and log_scale.shape == (150, 300)
  assert np.ptp(log_scale) > 0
  rounded = np.rint(restored * 255).astype(int)
  assert np.abs(rounded - restorer(picture)).max() <= 1


def test_views_give_the_mean_scale_and_the_spread_of_the_picture(restorer):
  seen = iter(range(8))

  def run(tiles, context):  # of each view its number, and twice that
    value = np.full([*tiles.shape[:3], 4], next(seen), np.float32)
    value[..., 3] *= 2
    return value

  tiles = np.zeros([1, 8, 8, 3], np.float32)
  y = self_ensemble.over(self_ensemble.VIEWS)(run, tiles, tiles)
  assert y.shape == (1, 8, 8, 5)
  want = [3.5, 3.5, 3.5, np.arange(8).std(), 7]
  np.testing.assert_allclose(y[0, 0, 0], want, rtol=1e-6)
  picture = np.random.default_rng(0).random([40, 48, 3], np.float32)
  read = lambda y, x, h, w: picture[y : y + h, x : x + w]
  for views, channels in ((False, 4), (True, 5)):
    strips = restorer.strips(read, 40, 48, picture, self_ensemble=views)
    assert next(strips)[1].shape == (40, 48, channels)


def test_without_a_head_nothing_is_predicted():
  config = confident_config()
  config.model.args.confidence = False
  params = random_params(registry.model(config), 0.2)
  plain = loading.of(config, params)
  assert not plain.predicts_errors and plain.calibration is None
  assert confidence.Calibration.of(ml_collections.ConfigDict()) is None

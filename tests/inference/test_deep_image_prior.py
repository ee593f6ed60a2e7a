"""Deep Image Prior: fills, ends, starts over, repeats, and its command."""

import inspect
import json
import os
import subprocess
import sys

from conftest import ROOT
import cv2
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from artjax import atomic_files
from artjax import resampling
from artjax.configs import deep_image_prior as config_file
from artjax.image_io import reader
from artjax.inference import deep_image_prior as dip
from artjax.inference.prior import fit

TINY = {'features': 8, 'scales': 1}


def smooth(height=32, width=40):
  """A picture of slow gradients, f32[H, W, 3]."""
  y, x = np.mgrid[:height, :width] / 40
  return np.stack([x, y, 1 - x * y], -1).astype(np.float32)


def hole(height=32, width=40):
  mask = np.zeros((height, width), bool)
  mask[4:16, 26:37] = True
  return mask


def fill(picture=None, **overrides):
  """`restore` of the smooth picture with a hole: one compilation for all."""
  mask = hole()
  arguments = {'mask': mask, 'steps': 60, 'window': 10, 'network': TINY}
  if picture is None:  # What is in the hole must not count, whatever it is.
    picture = np.where(mask[..., None], np.nan, smooth())
  return dip.restore(picture, **(arguments | overrides))


def test_inpainting_beats_the_mean_and_keeps_what_is_known():
  picture, mask = smooth(), hole()
  result = fill(steps=120, decay=0.9)
  error = lambda y: np.square(y - picture)[mask].mean()
  mean = np.broadcast_to(picture[~mask].mean(0), picture.shape)
  assert error(result.picture) < error(mean) / 2
  np.testing.assert_array_equal(result.picture[~mask], picture[~mask])
  assert (result.steps, result.stopped_by) == (120, 'steps')
  assert result.restarts == 0


def test_inpainting_begins_from_a_blurred_fill():
  picture, mask = smooth(), hole()
  error = lambda result: np.square(result.picture - picture)[mask].mean()
  few = {'steps': 5, 'learning_rate': 1e-3}
  assert error(fill(**few)) < 0.2 * error(fill(smooth=0.0, **few))
  # However dark: the logits of what is nearly black are far from grey's.
  dark = dip.restore(
    0.04 + 0 * picture, mask=mask, steps=5, window=10, network=TINY
  ).picture
  np.testing.assert_allclose(dark[mask], 0.04, atol=0.05)


def test_the_seed_decides_and_nothing_is_compiled_anew():
  first = fill(steps=12)
  compiled = fit.step._cache_size()
  again, other = fill(steps=12), fill(steps=12, seed=1, learning_rate=0.02)
  np.testing.assert_array_equal(first.picture, again.picture)
  assert np.abs(first.picture - other.picture).max() > 1e-3
  assert fit.step._cache_size() == compiled


def test_feather_fades_the_fill_in_and_leaves_what_is_known():
  picture, mask = smooth(), hole()
  soft, hard = (
    fill(picture, steps=5, feather=feather).picture for feather in (3, 0)
  )
  np.testing.assert_array_equal(soft[~mask], picture[~mask])
  depth = cv2.distanceTransform(np.uint8(mask), cv2.DIST_L2, 5)
  np.testing.assert_allclose(soft[depth > 4.5], hard[depth > 4.5], atol=1e-6)
  # Here the hole held the truth; what it held shows at its edge, not black.
  edge = mask & (depth < 2)
  nearer = np.abs(soft - picture)[edge] < np.abs(hard - picture)[edge]
  assert nearer.mean() > 0.9


def test_a_fit_that_stands_still_ends_the_run():
  result = fill(steps=100, learning_rate=0.0, patience=20, report_every=5)
  # Judged from step 10 on; no better ever after.
  assert result.stopped_by == 'early_stop' and 25 <= result.steps <= 45


def test_interrupted_gives_what_there_is():
  def stop(report):
    if report.step == 10:
      raise KeyboardInterrupt

  result = fill(report_every=5, on_report=stop)
  assert (result.steps, result.stopped_by) == (10, 'interrupted')
  np.testing.assert_array_equal(result.picture, fill(steps=10).picture)


def test_goes_back_when_the_loss_is_not_finite(monkeypatch):
  step, rates = fit.step, []

  def broken_once(state, fixed, rate, *static):
    rates.append(float(rate))
    if len(rates) == 8:
      state = state._replace(loss=state.loss * np.nan)
    return step(state, fixed, rate, *static)

  monkeypatch.setattr(fit, 'step', broken_once)
  notices = []
  result = fill(steps=15, report_every=5, on_notice=notices.append)
  assert result.restarts == 1 and result.steps == 15
  assert np.isfinite(result.picture).all()
  assert rates == pytest.approx([0.015] * 10 + [0.0075] * 10)
  assert len(notices) == 1 and 'back to step 5' in notices[0]


def test_muon_makes_kernels_orthogonal_and_moves_vectors_as_adam():
  rng = np.random.default_rng(0)
  gradient = {
    'kernel': jnp.float32(rng.normal(0, [1, 9], (3, 3, 8, 2))),
    'bias': jnp.float32(rng.normal(0, 1, 6)),
  }
  muon = fit._unscaled('muon')
  params = jax.tree.map(jnp.zeros_like, gradient)
  update, _ = muon.update(gradient, muon.init(params), params)
  of_kernel = np.linalg.svd(np.reshape(update['kernel'], (72, 2)))[1]
  assert of_kernel.max() < 1.3 and of_kernel.min() > 0.6
  adam = optax.nadam(0.5)  # its Adam looks ahead as it does itself
  expected, _ = adam.update(gradient, adam.init(params), params)
  np.testing.assert_allclose(update['bias'], expected['bias'], rtol=1e-5)


def test_a_hopeless_run_is_an_error():
  with pytest.raises(dip.DivergedError, match='lower learning_rate'):
    fill(learning_rate=1e38, on_notice=lambda text: None)


def test_denoising_stops_before_the_noise_is_fitted():
  clean = smooth()[..., :1]
  noise = np.random.default_rng(0).normal(0, 0.1, clean.shape)
  noisy = np.clip(clean + noise, 0, 1).astype(np.float32)
  result = dip.restore(
    noisy, task='denoise', steps=400, window=20, patience=40, network=TINY
  )
  assert result.stopped_by == 'early_stop' and result.steps < 400
  error = lambda y: np.square(y - clean).mean()
  assert error(result.picture) < error(noisy) / 2
  assert result.picture.shape == clean.shape


def test_x4_shrinks_to_the_picture():
  small = resampling.imresize(smooth(), 1 / 4)
  result = dip.restore(small, task='x4', steps=150, network=TINY)
  assert result.picture.shape == (32, 40, 3)
  back = resampling.imresize(result.picture, 1 / 4)
  # An average of outputs fits better than they do on average.
  assert 0 < np.square(back - small).mean() <= result.loss < 3e-3


def test_large_pictures_are_worked_on_around_the_holes():
  picture, notices = smooth(100, 160), []
  mask = np.zeros((100, 160), bool)
  mask[40:52, 82:102] = True
  seen = []
  original = fit.start
  arguments = {
    'mask': mask,
    'steps': 2,
    'window': 10,
    'max_side': 40,
    'network': TINY,
    'on_notice': notices.append,
  }
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(
      fit,
      'start',
      lambda model, key, fixed, shape, *rest: (
        seen.append(shape),
        original(model, key, fixed, shape, *rest),
      )[1],
    )
    small = dip.restore(picture, **arguments)
    mask[30:74, 50:110] = True
    large = dip.restore(picture, **arguments)
  # The hole and a margin of 10 px; then 64 x 80 px, which is too large.
  assert seen == [(32, 40, 3)] * 2
  assert len(notices) == 1 and 'softer' in notices[0]
  for result in (small, large):
    assert result.picture.shape == picture.shape
    np.testing.assert_array_equal(result.picture[~mask], picture[~mask])


@pytest.mark.parametrize(
  'overrides, problem',
  [
    ({'task': 'paint'}, 'not one of inpaint, denoise, x4'),
    ({'mask': None}, 'needs a mask'),
    ({'task': 'denoise'}, 'takes no mask'),
    ({'mask': np.zeros((32, 40))}, 'nothing is missing'),
    ({'mask': np.ones((32, 40))}, 'nothing is known'),
    ({'mask': np.ones((3, 4))}, r'the mask is \[3, 4\]'),
    ({'mask': ~hole()}, 'not finite'),
    ({'steps': 0}, 'steps=0 is less than 1'),
    ({'smooth': -1.0}, 'smooth=-1.0 is less than 0'),
    ({'decay': 1.0}, 'decay=1.0'),
    ({'optimizer': 'sgd'}, 'not one of muon, adam'),
  ],
)
def test_what_cannot_be_is_said(overrides, problem):
  with pytest.raises(ValueError, match=problem):
    fill(**overrides)


@pytest.mark.parametrize('task', ['denoise', 'x4'])
def test_grain_needs_full_size(task):
  with pytest.raises(ValueError, match='more than max_side=30'):
    dip.restore(smooth(), task=task, max_side=30)


def test_config_is_the_arguments():
  arguments = {
    name
    for name, p in inspect.signature(dip.restore).parameters.items()
    if p.kind == p.KEYWORD_ONLY
  }
  config = config_file.get_config()
  assert set(config) == arguments - {'mask', 'on_report', 'on_notice'}
  for name, value in config.items():
    default = inspect.signature(dip.restore).parameters[name].default
    assert name == 'network' or value == default, name


def run(*args):
  return subprocess.run(
    [
      sys.executable,
      str(ROOT / 'scripts' / 'deep_image_prior.py'),
      *map(str, args),
    ],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=240,
  )


@pytest.fixture
def scan(tmp_path):
  """A 16-bit TIFF of 32 x 40 px, its mask, and its values."""
  values = np.rint(smooth() * 65535).astype(np.uint16)
  values[hole()] = 65535
  path = tmp_path / 'scan.tif'
  import cv2

  cv2.imwrite(str(path), values[..., ::-1])
  atomic_files.write_picture(
    str(tmp_path / 'mask.png'),
    np.repeat(hole()[..., None] * np.uint8(255), 3, -1),
  )
  atomic_files.write_picture(
    str(tmp_path / 'target.png'), np.rint(smooth() * 255).astype(np.uint8)
  )
  return path, tmp_path / 'mask.png', values


def test_command(scan, tmp_path):
  path, mask, values = scan
  output = tmp_path / 'out' / 'filled.tif'
  out = run(
    path,
    f'--mask={mask}',
    f'--output={output}',
    f'--target={tmp_path}/target.png',
    '--save_every=3',
    '--config=configs/deep_image_prior.py:quick',
    '--config.steps=6',
    '--config.network.scales=1',
    '--config.report_every=3',
  )
  assert out.returncode == 0, out.stderr[-2000:]
  result = json.loads(out.stdout.splitlines()[-1])
  assert (result['steps'], result['stopped_by']) == (6, 'steps')
  assert 5 < result['psnr_mask'] < result['psnr']
  with reader.open_picture(output) as picture:
    assert picture.depth == 16
  import cv2

  written = cv2.imread(str(output), cv2.IMREAD_UNCHANGED)[..., ::-1]
  np.testing.assert_array_equal(written[~hole()], values[~hole()])
  assert (written[hole()] != 65535).any(-1).all()
  assert os.listdir(output.parent) == ['filled.tif']


@pytest.mark.parametrize(
  'change, problem',
  [
    (['--output=x.bmp'], "cannot be written as '.bmp'"),
    (['--config.stepz=3'], 'stepz'),
  ],
)
def test_mistakes_are_one_line(scan, tmp_path, change, problem):
  path, mask, _ = scan
  out = run(path, f'--mask={mask}', f'--output={tmp_path}/out.png', *change)
  assert out.returncode != 0
  assert problem in out.stderr and 'Traceback' not in out.stderr
  assert not (tmp_path / 'out.png').exists()

"""The ridge regression of colours: what it finds, writes and refuses."""

import json

import conftest
import numpy as np
import pytest

from artjax import atomic_files
from artjax.configs import colorize as config_file
from artjax.inference import colorizer as colorize
from artjax.interop import safetensors_io


@pytest.fixture(name='script', scope='module')
def script_fixture():
  return conftest.script('fit_colours')


def painting(seed, dark_is_blue=True):
  """Dark blue blobs on light orange, or the other way about: u8[96, 128, 3]."""
  import cv2

  rng = np.random.default_rng(seed)
  blobs = cv2.GaussianBlur(rng.standard_normal((96, 128)), (0, 0), 8)
  there = (blobs > 0)[..., None]
  dark, light = (
    ([20, 40, 120], [240, 190, 140])
    if dark_is_blue
    else ([110, 45, 20], [150, 190, 240])
  )
  return np.uint8(np.where(there, dark, light))


@pytest.fixture(name='fitted', scope='module')
def fitted_fixture(script):
  """(config, weights) fitted to four paintings, with a small penalty."""
  config = config_file.get_config('quick')
  return config, script.fit(config, [painting(i) for i in range(4)], 3.0)


def test_it_finds_which_lightness_has_which_colour(script, fitted):
  config, params = fitted
  colorizer = colorize.Colorizer(config, params)
  # Of a picture it was not fitted to.
  made, target = colorizer(painting(9)), painting(9)
  blue = target[..., 2] < target[..., 0]  # by rows of the light, which is not
  for light, sign in ((blue, -1), (~blue, 1)):
    difference = np.float32(made[light][:, 2]) - made[light][:, 0]
    assert np.sign(np.median(difference)) == sign
  # The same grey picture, learnt the other way about.
  other = script.fit(
    config, [painting(i, dark_is_blue=False) for i in range(4)], 3.0
  )
  mirrored = colorize.Colorizer(config, other)(painting(9))
  assert np.abs(np.float32(mirrored) - made).mean() > 10


def test_a_larger_penalty_gives_less_colour(script, fitted):
  config, little = fitted
  much = script.fit(config, [painting(i) for i in range(4)], 1e4)
  norm = lambda params: np.abs(params['likely']['kernel']).sum()
  assert norm(little) > 10 * norm(much)


def test_the_command(run_script, tmp_path):
  for i in range(12):
    atomic_files.write_picture(str(tmp_path / 'in' / f'{i}.png'), painting(i))
  output = tmp_path / 'likely.safetensors'
  done = run_script(
    'fit_colours.py',
    f'--source=folder:{tmp_path / "in"}',
    f'--output={output}',
    '--validation=0.4',
  )
  assert not done.returncode, done.stderr
  result = json.loads(done.stdout.splitlines()[-1])
  assert result['pictures'] + result['held_out'] == 12
  config, params, _ = safetensors_io.load(str(output))
  assert config.task == 'colorize' and params['likely']['kernel'].any()
  assert result['fitted']['ciede2000'] < result['sepia']['ciede2000']


@pytest.mark.parametrize(
  'arguments, problem',
  [
    (('--output=x.bin',), 'must end in .safetensors'),
    (('--output=x.safetensors', '--penalty=0'), 'must be above 0'),
    (('--output=x.safetensors',), 'nowhere'),
  ],
)
def test_what_cannot_be_is_said(run_script, arguments, problem):
  done = run_script('fit_colours.py', '--source=folder:nowhere', *arguments)
  assert done.returncode == 1 and done.stderr.count('\n') == 1
  assert problem in done.stderr

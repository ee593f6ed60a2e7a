"""Checkpoints: the latest few and the best, whole and exact."""

import gc
import os
import re
import resource
import shutil

from conftest import tiny_config
import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax.training import checkpoint


def state(value):
  return {
    'step': jnp.asarray(value, jnp.int32),
    'ema': {'w': jnp.full([3], value, jnp.float32)},
  }


def test_restores_what_was_saved_bit_for_bit(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path)
  exact = {
    'step': jnp.asarray(3, jnp.int32),
    'ema': {'w': jnp.asarray([0.1, 1e-30, -0.0], jnp.float32)},
  }
  saved.save(3, exact, tiny_config())
  saved.close()
  opened = checkpoint.Checkpoints(tmp_path)
  assert opened.latest_step() == 3
  read = opened.restore(jax.tree.map(jnp.zeros_like, exact))
  assert np.asarray(read['ema']['w']).tobytes() == (
    np.asarray(exact['ema']['w']).tobytes()
  )
  opened.close()


def test_keeps_the_latest_and_the_best(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path, keep=2)
  for step, psnr in enumerate([20.0, 30.0, 25.0, None, 26.0]):
    metrics = None if psnr is None else {'psnr_rgb': psnr}
    saved.save(step, state(step), tiny_config(), metrics)
  saved.wait()
  assert saved.best_step() == 1
  saved.close()
  kept = {int(p) for p in os.listdir(tmp_path / 'checkpoints') if p.isdigit()}
  assert kept == {1, 3, 4}
  _, params, step = checkpoint.load_generator(tmp_path)
  assert step == 1 and params['w'][0] == 1.0


def test_lower_can_be_better(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path, keep=1, metric='lpips', mode='min')
  for step, lpips in enumerate([0.3, 0.1, 0.2]):
    saved.save(step, state(step), tiny_config(), {'lpips': lpips})
  saved.wait()
  assert saved.best_step() == 1
  saved.close()
  config = tiny_config(best_metric='lpips', best_mode='min')
  (tmp_path / 'config.json').write_text(config.to_json())
  assert checkpoint.load_generator(tmp_path)[2] == 1


def test_without_metrics_the_newest_is_loaded(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path, keep=2)
  for step in (1, 2):
    saved.save(step, state(step), tiny_config())
  saved.close()
  config, params, step = checkpoint.load_generator(tmp_path)
  assert step == 2 and params['w'][0] == 2.0
  assert config.model.name == 'unet.UNet'
  assert checkpoint.load_generator(tmp_path, step=1)[2] == 1


def test_missing_checkpoints_are_named(tmp_path):
  with pytest.raises(FileNotFoundError, match='no checkpoints here'):
    checkpoint.load_generator(tmp_path)
  (tmp_path / 'checkpoints').mkdir()
  with pytest.raises(FileNotFoundError, match='no finished checkpoint'):
    checkpoint.load_generator(tmp_path)
  with pytest.raises(ValueError, match="'best'"):
    checkpoint.Checkpoints(tmp_path, mode='best')


def test_dataclass_state_of_another_model_is_refused(tmp_path):
  @flax.struct.dataclass
  class State:
    step: jax.Array
    ema: dict

  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(1, State(**state(1)), tiny_config())
  saved.wait()
  other = State(
    step=jnp.zeros([], jnp.int32), ema={'other': jnp.zeros([3], jnp.float32)}
  )
  with pytest.raises(ValueError, match='another config.model .ema/other'):
    saved.restore(other)
  larger = State(
    step=jnp.zeros([], jnp.int32), ema={'w': jnp.zeros([4], jnp.float32)}
  )
  with pytest.raises(ValueError, match='another config.model .ema/w'):
    saved.restore(larger)
  saved.close()


@pytest.mark.parametrize(
  'part, field',
  [
    ({'generator': {'opt_state': {'mu': jnp.zeros([3])}}}, 'optimizer'),
    ({'discriminator': {'params': jnp.zeros([3])}}, 'adversary'),
  ],
)
def test_the_field_that_makes_another_state_is_named(tmp_path, part, field):
  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(1, state(1) | part, tiny_config())
  saved.wait()
  with pytest.raises(ValueError, match=f'saved with another config.{field}'):
    saved.restore(state(0))
  saved.close()


@pytest.fixture
def broken_off():
  """For reads that break off: Orbax leaves the other arrays' unfinished."""
  yield
  gc.collect()


# What the above collects complains of being broken off.
breaks_off = pytest.mark.filterwarnings(
  'ignore::pytest.PytestUnraisableExceptionWarning'
)


def _emptied(folder):
  shutil.rmtree(folder)
  folder.mkdir()


def _truncated(folder):
  for path in (folder / 'state').rglob('*'):
    if path.is_file() and path.parent.name == 'd':
      os.truncate(path, path.stat().st_size // 2)


@breaks_off
@pytest.mark.usefixtures('broken_off')
@pytest.mark.parametrize(
  'damage',
  [
    _emptied,
    _truncated,
    lambda folder: shutil.rmtree(folder / 'state'),
    lambda folder: (folder / 'state' / '_METADATA').unlink(),
    lambda folder: (folder / 'state' / '_METADATA').write_text('{'),
  ],
  ids=['emptied', 'truncated', 'no_state', 'no_metadata', 'bad_metadata'],
)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
  tmp_path, damage, caplog
):
  saved = checkpoint.Checkpoints(tmp_path, keep=2)
  for step in (1, 2):
    saved.save(step, state(step), tiny_config())
  saved.close()
  damage(tmp_path / 'checkpoints' / '2')
  opened = checkpoint.Checkpoints(tmp_path, keep=2)
  with caplog.at_level('WARNING'):
    read = opened.restore(state(0))
  assert int(read['step']) == 1 and read['ema']['w'][0] == 1.0
  assert re.search(r'checkpoints/2 cannot be read.*from step 1', caplog.text)
  assert (tmp_path / 'checkpoints_damaged' / '2').exists()
  # The step is saved anew when training comes there again.
  opened.save(2, state(2), tiny_config())
  opened.close()
  assert checkpoint.load_generator(tmp_path)[2] == 2


def test_no_checkpoint_that_can_be_read_is_one_line(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(1, state(1), tiny_config())
  saved.close()
  shutil.rmtree(tmp_path / 'checkpoints' / '1' / 'state')
  opened = checkpoint.Checkpoints(tmp_path)
  with pytest.raises(ValueError, match='no checkpoint can be read: 1: '):
    opened.restore(state(0))
  opened.close()
  with pytest.raises(ValueError, match='checkpoints/1 cannot be read'):
    checkpoint.load_generator(tmp_path)


@breaks_off
@pytest.mark.usefixtures('broken_off')
def test_averaged_weights_are_read_without_the_rest(tmp_path):
  noise = np.random.default_rng(0).standard_normal(2**18).astype(np.float32)
  whole = state(1) | {'generator': {'opt_state': {'mu': jnp.asarray(noise)}}}
  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(1, whole, tiny_config())
  saved.close()
  # The noise, that is: what is small lies elsewhere.
  for path in (tmp_path / 'checkpoints' / '1' / 'state').rglob('*'):
    if path.is_file() and path.stat().st_size > noise.nbytes / 2:
      os.truncate(path, 0)
  opened = checkpoint.Checkpoints(tmp_path)
  with pytest.raises(ValueError, match='no checkpoint can be read'):
    opened.restore(whole)
  opened.close()
  _, params, _ = checkpoint.load_generator(tmp_path)
  np.testing.assert_array_equal(params['w'], [1, 1, 1])


def _flip(folder, value):
  """Changes one byte of the largest file of a state."""
  files = [p for p in (folder / 'state').rglob('*') if p.is_file()]
  path = max(files, key=lambda p: p.stat().st_size)
  data = bytearray(path.read_bytes())
  place = data.index(value.tobytes())
  data[place] ^= 1
  path.write_bytes(data)


def test_flipped_bytes_are_not_taken_for_weights(tmp_path, caplog):
  # What cannot be compressed lies in the file as it is.
  noise = np.frombuffer(np.random.default_rng(0).bytes(2**18), np.int32)
  big = lambda step: {
    'step': jnp.asarray(step, jnp.int32),
    'ema': {'w': jnp.asarray(noise)},
  }
  saved = checkpoint.Checkpoints(tmp_path, keep=2)
  for step in (1, 2):
    saved.save(step, big(step), tiny_config())
  saved.close()
  _flip(tmp_path / 'checkpoints' / '2', noise[1000])
  with pytest.raises(ValueError, match='2 cannot be read: ema/w is not what'):
    checkpoint.load_generator(tmp_path, 2)
  opened = checkpoint.Checkpoints(tmp_path, keep=2)
  assert int(opened.restore(big(0))['step']) == 1
  opened.close()
  assert re.search(
    r'/2 cannot be read \(ema/w is not what was saved\).*from step 1',
    caplog.text,
  )


def test_checkpoints_of_before_fingerprints_are_read(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(1, state(1), tiny_config())
  saved.close()
  shutil.rmtree(tmp_path / 'checkpoints' / '1' / 'fingerprint')
  opened = checkpoint.Checkpoints(tmp_path)
  assert int(opened.restore(state(0))['step']) == 1
  opened.close()
  assert checkpoint.load_generator(tmp_path)[2] == 1


def test_what_is_measured_after_saving_chooses_the_best(tmp_path):
  saved = checkpoint.Checkpoints(tmp_path, keep=1)
  for step, psnr in enumerate([20.0, 30.0, 25.0]):
    saved.save(step, state(step), tiny_config())
    saved.measured(step, {'psnr_rgb': psnr, 'lpips': float('nan')})
  assert saved.best_step() == 1
  saved.close()
  assert checkpoint.load_generator(tmp_path)[2] == 1
  opened = checkpoint.Checkpoints(tmp_path, keep=1)
  opened.save(3, state(3), tiny_config())
  opened.close()
  kept = {int(p) for p in os.listdir(tmp_path / 'checkpoints') if p.isdigit()}
  assert kept == {1, 3}


def test_a_disk_that_is_full_is_one_line_and_loses_nothing(tmp_path):
  noise = np.random.default_rng(0).standard_normal(2**16).astype(np.float32)
  saved = checkpoint.Checkpoints(tmp_path)
  saved.save(1, {'w': jnp.asarray(noise)}, tiny_config())
  saved.wait()
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (2**14, hard))
  try:
    with pytest.raises(ValueError) as error:
      saved.save(2, {'w': jnp.asarray(noise)}, tiny_config())
      saved.wait()
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
  assert re.fullmatch(
    r'.*checkpoints: step 2 cannot be saved: .*whole are the steps 1',
    str(error.value),
  )


def test_long_messages_are_cut_in_their_middle():
  path = f'/{"long/" * 30}zarr.json'
  error = ValueError(
    f'RESOURCE_EXHAUSTED: Error writing local file "{path}": Failed to write '
    "276 bytes to file 3: No space left on device [tensorstore_spec='{}']\nmore"
  )
  text = checkpoint.in_short(error)
  assert text.startswith('RESOURCE_EXHAUSTED: Error writing local file "/long')
  assert text.endswith('to file 3: No space left on device')
  assert len(text) < 160
  assert checkpoint.in_short(OSError()) == 'OSError'

"""Checkpoints: the latest few and the best, whole and exact."""

import os

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
  with pytest.raises(ValueError):
    saved.restore(other)
  saved.close()

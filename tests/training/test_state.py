"""What a run begins with: keys that nothing else draws from."""

from conftest import tiny_config
import jax
import jax.numpy as jnp
import optax

from artjax.training import state as states


class Recording:
  """A module that keeps the key it is initialized with."""

  def init(self, key, x):
    del x
    self.key = tuple(jax.random.key_data(key).tolist())
    return {'params': {'kernel': jnp.zeros([1])}}


def test_the_discriminators_key_is_no_steps():
  config = tiny_config(seed=3)
  generator, discriminator = Recording(), Recording()
  with jax.disable_jit():
    states.create_state(
      config,
      states.Player(generator, optax.sgd(0.1)),
      states.Player(discriminator, optax.sgd(0.1)),
    )
  root = jax.random.key(config.seed)
  drawn = set()
  for step in range(4):
    of_step = jax.random.fold_in(root, step)
    drawn.add(tuple(jax.random.key_data(of_step).tolist()))
    for device in range(8):
      key = jax.random.fold_in(of_step, device)
      drawn.add(tuple(jax.random.key_data(key).tolist()))
  assert discriminator.key not in drawn
  assert discriminator.key != generator.key

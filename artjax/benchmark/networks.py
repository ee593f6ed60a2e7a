"""Speed of networks: a training step or a batch, compared with a peer's."""

import argparse
import ast

from artjax.benchmark import memory
from artjax.benchmark import peers


def step_speed(args: argparse.Namespace) -> dict:
  """Seconds of a training step (L1, Adam), and its ratio to the peer's."""
  return peers.in_turn(args, {'ours': lambda: step_times(args)})


def infer_speed(args: argparse.Namespace) -> dict:
  """Seconds of a network on a batch, in process and by ONNX Runtime."""
  runs = {'ours': lambda: infer_times(args)}
  if args.onnx:
    runs['onnx'] = lambda: onnx_times(args)
  return peers.in_turn(args, runs)


def made(args: argparse.Namespace) -> tuple:
  """The model that is named, and an input f32[B, H, W, 3] for it."""
  import ml_collections
  import numpy as np

  from artjax import registry

  model = registry.model(
    ml_collections.ConfigDict(
      {
        'model': {'name': args.model, 'args': ast.literal_eval(args.fields)},
        'dtype': args.dtype,
      }
    )
  )
  height, width = map(int, args.size.split('x'))
  x = np.random.default_rng(0).random(
    [args.batch, height, width, 3], np.float32
  )
  return model, x


def infer_times(args: argparse.Namespace) -> dict:
  """Times of the compiled network, in seconds."""
  import jax

  model, x = made(args)
  params = jax.jit(model.init)(jax.random.key(0), x[:1])
  run, x = jax.jit(model.apply), jax.device_put(x)
  return {
    'model': args.model,
    'fields': args.fields,
    'dtype': args.dtype,
    'input': list(x.shape),
    'device': jax.devices()[0].device_kind,
    **peers.timed(args, lambda: jax.block_until_ready(run(params, x))),
    'resident_mb': round(memory.resident_mb()),
  }


def onnx_times(args: argparse.Namespace) -> dict:
  """Times of an exported network under ONNX Runtime, on the CPU."""
  import onnxruntime

  session = onnxruntime.InferenceSession(
    args.onnx, providers=['CPUExecutionProvider']
  )
  x = made(args)[1].transpose(0, 3, 1, 2).copy()
  (name,) = (found.name for found in session.get_inputs())
  return {
    'file': args.onnx,
    **peers.timed(args, lambda: session.run(None, {name: x})),
  }


def step_times(args: argparse.Namespace) -> dict:
  """Times of one compiled step, in seconds, and what it computes."""
  import jax
  import jax.numpy as jnp
  import optax

  model, x = made(args)
  variables = jax.jit(model.init)(jax.random.key(0), x[:1])
  target = jax.eval_shape(model.apply, variables, x)
  x, target = jnp.asarray(x), jnp.full(target.shape, 0.5)
  optimizer = optax.adam(1e-4)

  def train_step(variables, moments, x, target):
    params = variables['params']
    kept = {k: v for k, v in variables.items() if k != 'params'}

    def loss(params):
      y, renewed = model.apply(
        {'params': params, **kept}, x, train=True, mutable=list(kept)
      )
      return jnp.abs(y - target).mean(), renewed

    grads, renewed = jax.grad(loss, has_aux=True)(params)
    updates, moments = optimizer.update(grads, moments, params)
    return {'params': optax.apply_updates(params, updates), **renewed}, moments

  step = jax.jit(train_step, donate_argnums=(0, 1))
  count = sum(p.size for p in jax.tree.leaves(variables['params']))
  state = variables, optimizer.init(variables['params'])

  def call():
    nonlocal state
    state = jax.block_until_ready(step(*state, x, target))

  return {
    'model': args.model,
    'fields': args.fields,
    'dtype': args.dtype,
    'input': list(x.shape),
    'parameters': count,
    'device': jax.devices()[0].device_kind,
    **peers.timed(args, call),
    'resident_mb': round(memory.resident_mb()),
  }

"""Speed: of input pipeline, networks beside a peer's, start, restoration.

  python scripts/benchmark.py pipeline --source=folder:PATH
  python scripts/benchmark.py step --peer='python peer.py --model unet ...'
  python scripts/benchmark.py infer --model=rrdb.RRDBNet --onnx=rrdb.onnx \
      --peer='python peer.py --model rrdb --mode infer ...'
  python scripts/benchmark.py launch --config=configs/esrgan_psnr.py
  python scripts/benchmark.py restore --picture=scan.png --megapixels 1 16 100
  python scripts/benchmark.py tiles --source=folder:PATH
  python scripts/benchmark.py ramp

Each prints what it did and, on the last line of stdout, one JSON object. Two
things that are compared run in turn in one call, for machines are noisy and
only ratios of one run can be trusted.
"""

import argparse
import ast
import json
import multiprocessing
import pathlib
import re
import resource
import shlex
import statistics
import subprocess
import sys
import time

# Run as a script, Python looks for `artjax` beside this file, not above it.
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))


# What the pipeline is measured with: damage on 128-px crops.
CROPS = (
  'random_scale_crop(128, 0.2)|flip|rotate90|copy("image", "target")|'
  'old_painting((0.0, 1.0))|keep("image", "target")'
)


def pipeline_speed(args):
  """Examples a second of the training pipeline, with nothing else to do."""
  from artjax.data import pipeline
  from configs import unet

  config = unet.get_config().unlock()
  config.data.source = args.source
  config.data.validation = args.validation
  config.data.loader = args.loader
  config.data.workers = args.workers
  config.batch_size = args.batch
  config.data.ops = args.ops or CROPS
  start = time.perf_counter()
  batches = pipeline.batches(config, 'train', num_devices=1)
  next(batches)
  first = time.perf_counter() - start
  # Once over the collection fills the cache of decoded pictures.
  for _ in range(args.warmup):
    next(batches)
  rates = []
  for _ in range(args.repeats):
    start = time.perf_counter()
    for _ in range(args.batches):
      next(batches)
    rates.append(args.batches * args.batch / (time.perf_counter() - start))
  return {
    'examples_per_s': round(statistics.median(rates), 1),
    'min': round(min(rates), 1),
    'max': round(max(rates), 1),
    'first_batch_s': round(first, 2),
    'loader': args.loader,
    'ops': config.data.ops,
    'source': args.source,
    'resident_mb': round(resident_mb()),
  }


def resident_mb():
  """The most memory that this process and its workers had resident, MiB."""
  workers = sum(
    int(
      re.search(
        r'VmHWM:\s*(\d+)', pathlib.Path(f'/proc/{child.pid}/status').read_text()
      )[1]
    )
    for child in multiprocessing.active_children()
  )
  own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  return (own + workers) / 1024


def step_speed(args):
  """Seconds of a training step (L1, Adam), and its ratio to the peer's."""
  return in_turn(args, {'ours': lambda: step_times(args)})


def infer_speed(args):
  """Seconds of a network on a batch, in process and by ONNX Runtime."""
  runs = {'ours': lambda: infer_times(args)}
  if args.onnx:
    runs['onnx'] = lambda: onnx_times(args)
  return in_turn(args, runs)


def in_turn(args, runs):
  """Medians of several measurements, and their ratios to the peer's.

  A ratio is the peer's time by ours: above 1 we are the faster.

  Args:
    args: with peer and rounds.
    runs: {name: function -> {'median_s', ...}}; the first names the device.
  """
  if args.peer:
    runs = {**runs, 'peer': lambda: peer_times(args.peer)}
  times = {name: [] for name in runs}
  for i in range(args.rounds if len(runs) > 1 else 1):
    for name, run in runs.items():
      times[name].append(run())
    print(
      f'round {i + 1}: '
      + ', '.join(
        f'{name} {found[-1]["median_s"]:.3f} s' for name, found in times.items()
      ),
      flush=True,
    )
  median = {
    name: statistics.median(t['median_s'] for t in found)
    for name, found in times.items()
  }
  result = {**times.pop('ours')[0], 'median_s': median['ours']}
  for name, found in times.items():
    result[name] = {**found[0], 'median_s': median[name]}
  if args.peer:
    result['speed_to_peer'] = {
      name: round(median['peer'] / seconds, 3)
      for name, seconds in median.items()
      if name != 'peer'
    }
  return result


def peer_times(command):
  """What a peer's command prints on its last line."""
  out = subprocess.run(
    shlex.split(command), capture_output=True, text=True, check=False
  )
  if out.returncode:
    sys.exit(f'the peer failed: {command}\n{out.stderr.strip()}')
  return json.loads(out.stdout.strip().splitlines()[-1])


def timed(args, call):
  """Seconds of the first call, and the median and least of the later ones."""
  times = []
  for _ in range(1 + args.warmup + args.repeats):
    start = time.perf_counter()
    call()
    times.append(time.perf_counter() - start)
  later = times[1 + args.warmup :]
  return {
    'first_s': round(times[0], 2),
    'median_s': statistics.median(later),
    'min_s': min(later),
  }


def made(args):
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


def infer_times(args):
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
    **timed(args, lambda: jax.block_until_ready(run(params, x))),
    'resident_mb': round(resident_mb()),
  }


def onnx_times(args):
  """Times of an exported network under ONNX Runtime, on the CPU."""
  import onnxruntime

  session = onnxruntime.InferenceSession(
    args.onnx, providers=['CPUExecutionProvider']
  )
  x = made(args)[1].transpose(0, 3, 1, 2).copy()
  (name,) = (found.name for found in session.get_inputs())
  return {
    'file': args.onnx,
    **timed(args, lambda: session.run(None, {name: x})),
  }


def launch_speed(args):
  """Seconds from launch to the first training step, cold and cached."""
  import os
  import tempfile

  found = {}
  with tempfile.TemporaryDirectory() as folder:
    for name in ('cold', 'cached'):
      workdir = os.path.join(folder, name)
      start = time.time()
      process = subprocess.Popen(
        [
          sys.executable,
          '-m',
          'artjax.main',
          f'--config={args.config}',
          f'--workdir={workdir}',
          '--config.steps=2',
          '--config.log_every=1',
          '--config.eval_every=0',
          '--config.data.loader=threads',
          f'--config.batch_size={args.batch}',
          *args.override,
        ],
        cwd=pathlib.Path(__file__).parent.parent,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={
          **os.environ,
          'JAX_COMPILATION_CACHE_DIR': os.path.join(folder, 'cache'),
        },
      )
      metrics = os.path.join(workdir, 'metrics.jsonl')
      while process.poll() is None and not (
        os.path.exists(metrics) and os.path.getsize(metrics)
      ):
        time.sleep(0.05)
      seconds = time.time() - start
      _, errors = process.communicate()
      if process.returncode:
        sys.exit(f'the run failed: {errors.strip().splitlines()[-1:]}')
      found[f'{name}_s'] = round(seconds, 1)
      print(f'{name}: {seconds:.1f} s', flush=True)
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
  return {
    'config': args.config,
    'batch': args.batch,
    **found,
    'resident_mb': round(peak),
  }


def step_times(args):
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
    **timed(args, call),
    'resident_mb': round(resident_mb()),
  }


def restore_speed(args):
  """Seconds and memory of scripts/restore.py, start included, by size."""
  import math
  import os
  import tempfile

  import pyvips

  script = pathlib.Path(__file__).with_name('restore.py')
  rows = []
  with tempfile.TemporaryDirectory() as folder:
    for megapixels in args.megapixels:
      source = os.path.join(folder, f'{megapixels:g}.tif')
      side = math.isqrt(round(megapixels * 1e6))
      image = pyvips.Image.new_from_file(args.picture)[:3]
      image = image.replicate(-(-side // image.width), -(-side // image.height))
      image.crop(0, 0, side, side).tiffsave(source)
      # A small process of its own, so that its children's memory is theirs.
      timed = (
        'import resource, subprocess, sys, time; start = time.time(); '
        'done = subprocess.run(sys.argv[1:]); '
        'print(time.time() - start, resource.getrusage('
        'resource.RUSAGE_CHILDREN).ru_maxrss); '
        'sys.exit(done.returncode)'
      )
      out = subprocess.run(
        [
          sys.executable,
          '-c',
          timed,
          sys.executable,
          script,
          source,
          f'--weights={args.weights}',
          f'--output={folder}/out',
        ],
        capture_output=True,
        text=True,
        check=False,
      )
      if out.returncode:
        sys.exit(f'restore.py failed: {out.stderr.strip().splitlines()[-1:]}')
      seconds, kib = map(float, out.stdout.split()[-2:])
      rows.append(
        {
          'megapixels': megapixels,
          'side': side,
          'seconds': round(seconds, 2),
          'resident_mb': round(kib / 1024),
        }
      )
      print(
        f'{megapixels:6g} Mpx  {seconds:8.1f} s  {kib / 1024:6.0f} MiB',
        flush=True,
      )
      os.remove(source)
      os.remove(os.path.join(folder, 'out', os.path.basename(source)))
  return {'weights': args.weights, 'sizes': rows}


def tile_differences(args):
  """How far tiled results are from those of the whole picture, in 1/255.

  What fills holes gets holes of all kinds, of a tenth of the picture and more.
  """
  import numpy as np

  from artjax.data.degradations import inpainting_masks
  from artjax.data.sources import base
  from artjax.inference import tiled

  restorer = tiled.Restorer.load(args.weights)
  pictures = base.load(args.source)
  worst = dict.fromkeys(args.tiles, 0)
  differing = dict.fromkeys(args.tiles, 0.0)
  for i in range(len(pictures)):
    example = {'image': pictures[i]['image'], 'target': pictures[i]['image']}
    given = [example['image']]
    if restorer.fills:
      example = inpainting_masks.missing((0.1, 0.3))(
        example, np.random.default_rng(i)
      )
      given = [example['image'], example['mask'].any(-1)]
    whole = restorer(*given, tile=max(given[0].shape)).astype(int)
    for tile in args.tiles:
      difference = np.abs(restorer(*given, tile=tile) - whole)
      worst[tile] = max(worst[tile], int(difference.max()))
      differing[tile] += float((difference > 0).mean()) / len(pictures)
    print(f'{i + 1}/{len(pictures)}: {worst}', flush=True)
  return {
    'weights': args.weights,
    'source': args.source,
    'pictures': len(pictures),
    'max_difference': worst,
    'share_of_values_that_differ': differing,
  }


def ramp_levels(args):
  """What becomes of the levels of a 16-bit ramp with a P3 profile.

  4096 x 256 px, of which each level has 16, one after the other along the rows,
  between a bar of black and one of white. As TIFF through `restoration`.
  """
  import os
  import tempfile

  import numpy as np
  import pyvips

  from artjax.image_io import vips
  from artjax.restoration import restore_file

  ramp = np.repeat(np.arange(2**16, dtype=np.uint16), 16).reshape(256, 4096)
  bar = np.zeros([64, 4096], np.uint16)
  values = np.concatenate([bar, ramp, bar + 65535])[..., None].repeat(3, -1)
  chain = restore_file.Chain(args.weights)
  result = {'weights': args.weights}
  with tempfile.TemporaryDirectory() as folder:
    source = os.path.join(folder, 'ramp.tif')
    vips.image(values).copy(interpretation='rgb16').tiffsave(
      source, profile='p3'
    )
    for strength in (0.0, 1.0):
      path = os.path.join(folder, f'{strength}.tif')
      record = restore_file.restore_file(
        source,
        chain,
        restore_file.Outputs(path),
        restore_file.Options(strength=strength),
      )
      image = pyvips.Image.new_from_file(path)
      out = image.numpy()
      black, white = out[:32].astype(int), out[-32:].astype(int)
      found = {
        'levels': int(np.unique(out[64:-64, :, 1]).size),
        'identical': bool((out == values).all()),
        'profile_kept': image.get('icc-profile-data')
        == pyvips.Image.new_from_file(source).get('icc-profile-data'),
        'black_off_255ths': round(float(black.max()) / 257, 2),
        'white_off_255ths': round(float((65535 - white).max()) / 257, 2),
        'seconds': record['seconds'],
      }
      print(f'strength {strength:g}: {found}', flush=True)
      result[f'strength_{strength:g}'] = found
  return result


def main():
  """Parses the command line, runs one benchmark, prints its JSON line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  commands = parser.add_subparsers(
    required=True,
    metavar='pipeline | step | infer | launch | restore | tiles | ramp',
  )

  p = commands.add_parser('pipeline', help='examples a second')
  p.set_defaults(run=pipeline_speed)
  p.add_argument('--source', default='sample')
  p.add_argument('--ops', default='', help='default: damaged 128-px crops')
  p.add_argument(
    '--loader', choices=['tf', 'threads', 'processes'], default='tf'
  )
  p.add_argument('--workers', type=int, default=0, help='0 = one per core')
  p.add_argument('--validation', type=float, default=0.2)
  p.add_argument('--batch', type=int, default=8)
  p.add_argument('--batches', type=int, default=100, help='a repeat')
  p.add_argument('--warmup', type=int, default=60, help='batches')
  p.add_argument('--repeats', type=int, default=3)

  for name, run, what in (
    ('step', step_speed, 'seconds a training step'),
    ('infer', infer_speed, 'seconds of a network'),
  ):
    p = commands.add_parser(name, help=what)
    p.set_defaults(run=run)
    p.add_argument('--model', default='unet.UNet')
    p.add_argument(
      '--fields',
      default='{}',
      help='fields of the model, a Python dict; a step of a '
      'batch norm needs axis_name=None',
    )
    p.add_argument(
      '--dtype', choices=['float32', 'bfloat16'], default='float32'
    )
    p.add_argument('--size', default='128x128', help='of the input, HxW px')
    p.add_argument('--batch', type=int, default=8)
    p.add_argument('--warmup', type=int, default=3)
    p.add_argument('--repeats', type=int, default=10)
    p.add_argument(
      '--peer',
      default='',
      help='a command whose last line of '
      'stdout is JSON with "median_s"; run in turn with ours',
    )
    p.add_argument('--rounds', type=int, default=3, help='turns')
    if name == 'infer':
      p.add_argument(
        '--onnx',
        default='',
        help='the same network exported, '
        'run by ONNX Runtime (requirements-export.txt)',
      )

  p = commands.add_parser('launch', help='seconds to the first step')
  p.set_defaults(run=launch_speed)
  p.add_argument('--config', required=True)
  p.add_argument('--batch', type=int, default=1)
  p.add_argument(
    'override', nargs='*', metavar='--config.FIELD=VALUE', help='after --'
  )

  p = commands.add_parser('restore', help='seconds and memory a picture')
  p.set_defaults(run=restore_speed)
  p.add_argument('--picture', required=True, help='repeated to every size')
  p.add_argument('--weights', default='unet')
  p.add_argument('--megapixels', type=float, nargs='+', default=[1, 4, 16])

  p = commands.add_parser('tiles', help='tiled against whole')
  p.set_defaults(run=tile_differences)
  p.add_argument('--source', required=True, help='folder:PATH')
  p.add_argument('--weights', default='unet')
  p.add_argument('--tiles', type=int, nargs='+', default=[128, 256, 384])

  p = commands.add_parser('ramp', help='levels of 16 bits that survive')
  p.set_defaults(run=ramp_levels)
  p.add_argument('--weights', default='unet')

  args = parser.parse_args()
  try:
    result = args.run(args)
  except (ValueError, FileNotFoundError) as error:
    sys.exit(f'benchmark: {error}')
  print(json.dumps(result))


if __name__ == '__main__':
  main()

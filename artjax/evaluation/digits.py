"""Evaluation of what is drawn from nothing: digits, measured beside real ones.

Samples of one fixed latent, the same at every step of a run, and a walk from
one latent to another show what was learnt; digits.py says how good it is.
"""

import functools
import os
import time

from absl import logging
import jax
import jax.numpy as jnp
import numpy as np

from artjax import atomic_files
from artjax import registry
from artjax import tasks
from artjax.data import sources
from artjax.evaluation import digit_scores
from artjax.evaluation import paired as evaluate_lib
from artjax.evaluation import report
from artjax.inference import loading
from artjax.interop import safetensors_io
from artjax.tasks import generate

SAMPLES = 10_000  # measured, where eval.max_pictures does not say less
_COLUMNS, _ROWS = 16, 8  # of the pictures shown
_CHUNK = 250  # samples drawn together


class Generator:
  """Latents f32[N, 1, 1, generate.LATENT] -> pictures u8[N, H, W, 3]."""

  def __init__(self, config, params):
    """Of a configuration (task, model) and the generator's weights."""
    self._params = params
    self._run = _compiled(registry.model(config), tasks.get(config.task))

  def __call__(self, latents):
    """Clipped and rounded, as a file holds them."""
    return np.concatenate(
      [
        self._run(self._params, latents[i : i + _CHUNK])
        for i in range(0, len(latents), _CHUNK)
      ]
    )


@functools.cache
def _compiled(model, task):
  def run(params, latents):
    y = model.apply(safetensors_io.variables(params), latents)
    picture = jnp.clip(task.to_image({}, y), 0, 1)
    return jnp.rint(255 * picture).astype(jnp.uint8)

  return jax.jit(run)


def latents(seed, count):
  """f32[count, 1, 1, LATENT] of N(0, 1), the same for the same seed."""
  rng = np.random.default_rng(seed)
  return rng.standard_normal([count, 1, 1, generate.LATENT], np.float32)


def walk(start, end, steps):
  """[steps, ...] from one latent to another, along the arc between them.

  A straight line would leave the shell that normal latents of many dimensions
  lie on: https://arxiv.org/abs/1609.04468.
  """
  cosine = np.sum(start * end) / (np.linalg.norm(start) * np.linalg.norm(end))
  angle = np.arccos(np.clip(cosine, -1, 1))
  t = np.linspace(0, 1, steps).reshape((-1,) + (1,) * start.ndim)
  if np.sin(angle) < 1e-4:
    return np.float32((1 - t) * start + t * end)
  return np.float32(
    (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)
  )


def grid(pictures, columns):
  """u8[N, H, W, 3], row by row -> one u8 picture; N divides by columns."""
  _, height, width, channels = pictures.shape
  rows = pictures.reshape(-1, columns, height, width, channels)
  return rows.transpose(0, 2, 1, 3, 4).reshape(-1, columns * width, channels)


def shown(generator, seed):
  """{'samples', 'interpolation'}: u8[H, W, 3] of the seed's latents."""
  fixed = latents(seed, _COLUMNS * _ROWS)
  walks = [walk(fixed[i], fixed[i + _ROWS], _COLUMNS) for i in range(_ROWS)]
  return {
    'samples': grid(generator(fixed), _COLUMNS),
    'interpolation': grid(generator(np.concatenate(walks)), _COLUMNS),
  }


def evaluate(config, generator):
  """Measures samples beside the real digits that were not trained on.

  Args:
    config: reads seed, data.source, validation and min_size, eval.source (''
      means the split `test` of data.source), min_size and max_pictures (of
      each kind; 0 means 10 000 samples and all real digits).
    generator: `Generator`.

  Returns:
    dict: 'output' and 'input', the figures of `digits.measure` of the samples
    and of the real digits, both against the digits trained on; of the real ones
    also 'accuracy', of the classifier. 'pictures' is the number of samples,
    'seconds' how long they took, 'real' the number of real digits, 'source'
    where these are from and 'shown' as the function `shown`.

  Raises:
    ValueError: digits without labels, or of another size than the samples.
  """
  source = config.eval.source or f'{config.data.source}:test'
  limit = config.eval.max_pictures or None
  real, labels = _labelled(
    source,
    config.eval.split or 'all',
    config.data.validation,
    config.eval.min_size,
  )
  real, labels = real[:limit], labels[:limit]
  start = time.perf_counter()
  samples = generator(latents(config.seed, limit or SAMPLES))[..., 0]
  seconds = time.perf_counter() - start
  if real.shape[1:] != samples.shape[1:]:
    raise ValueError(
      f'{source}: digits of {real.shape[2]} x {real.shape[1]} '
      f'px, but {samples.shape[2]} x {samples.shape[1]} px are '
      'drawn'
    )
  classifier, reference = _classifier(
    config.data.source, config.data.validation, config.data.min_size
  )
  seen = digit_scores.look(classifier, real)
  accuracy = float(np.mean(seen.chances.argmax(1) == labels))
  return {
    'output': digit_scores.measure(
      digit_scores.look(classifier, samples), reference
    ),
    'input': {**digit_scores.measure(seen, reference), 'accuracy': accuracy},
    'pictures': len(samples),
    'seconds': seconds,
    'real': len(real),
    'source': source,
    'shown': shown(generator, config.seed),
  }


@functools.lru_cache(maxsize=1)
def _classifier(source, validation, min_size):
  """(its weights, what it sees in digits that it was trained on)."""
  pictures, labels = _labelled(source, 'train', validation, min_size)
  start = time.perf_counter()
  params = digit_scores.train(pictures, labels)
  logging.info(
    'Classifier of %d digits, trained in %.0f s',
    len(pictures),
    time.perf_counter() - start,
  )
  return params, digit_scores.look(params, pictures[:SAMPLES])


def _labelled(spec, part, validation, min_size):
  """(u8[N, H, W], u8[N]) of a source with labels."""
  source = sources.split(
    sources.load(spec, min_size=min_size), part, validation
  )
  examples = [source[i] for i in range(len(source))]
  if 'label' not in examples[0]:
    raise ValueError(
      f'{spec}: has no labels, and samples are measured by a '
      'classifier: take idx:DIR or tfds:mnist, or '
      'eval_every=0'
    )
  return (
    np.stack([example['image'][..., 0] for example in examples]),
    np.array([example['label'] for example in examples], np.uint8),
  )


def table(results):
  """The figures as a markdown table: samples and real digits."""
  lines = ['| metric | samples | real digits |', '|---|---|---|']
  for name, value in results['input'].items():
    ours = results['output'].get(name)
    lines.append(
      f'| {name} | {"-" if ours is None else f"{ours:.4f}"} | {value:.4f} |'
    )
  lines += [
    '',
    f'{results["pictures"]} samples, {results["real"]} digits of '
    f'{results["source"]}; confident: share with a chance of '
    f'{digit_scores.CONFIDENT} or more; entropy of the classes in nats, '
    f'at most {np.log(10):.4f}.',
  ]
  return '\n'.join(lines)


def measure(config, params, writer, step, workdir):
  """Evaluates at a step of a run; pictures go to `<workdir>/samples` too."""
  results = evaluate(config, Generator(config, params))
  scalars = {f'eval/{n}': v for n, v in results['output'].items()}
  scalars |= {f'eval_real/{n}': v for n, v in results['input'].items()}
  writer.write_scalars(step, scalars)
  writer.write_images(
    step, {name: picture[None] for name, picture in results['shown'].items()}
  )
  writer.flush()
  if jax.process_index() == 0:
    write_pictures(results, os.path.join(workdir, 'samples'), f'_{step:07d}')
  logging.info('Evaluation at step %d:\n%s', step, table(results))
  return results


def write_pictures(results, folder, suffix=''):
  """Writes samples.png and interpolation.png."""
  for name, picture in results['shown'].items():
    atomic_files.write_picture(
      os.path.join(folder, f'{name}{suffix}.png'), picture
    )


def evaluate_and_report(config, where, output=None):
  """`--mode=evaluate` of the task generate; as evaluate.evaluate_and_report."""
  theirs, params = loading.load(where)
  if theirs.task != config.task:
    raise ValueError(
      f'{where}: made for task={theirs.task}, not {config.task}: '
      'name the configuration it was made with'
    )
  expected = safetensors_io.merge(registry.variables(theirs, generate.LATENT))
  safetensors_io.check(params, expected, where)
  results = evaluate(config, Generator(theirs, params))
  print(table(results), flush=True)
  output = report.folder(where, output)
  settings = report.settings(config, where, theirs.model.name)
  settings |= {'source': results['source']}
  if output:
    write_pictures(results, output)
    report.write_page(
      output,
      'Evaluation',
      settings,
      f'{table(results)}\n\n![samples](samples.png)\n\n'
      'From one sample to another:\n\n![interpolation](interpolation.png)',
    )
  return {**evaluate_lib.as_json(results), **settings, 'report': output}

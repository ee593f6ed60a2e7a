"""Evaluation of generated digits, compared with real ones.

A sample has no target to compare it with. Instead, a classifier of real digits
measures how clear and how varied the samples are, and how far their features
are from those of real digits (digit_scores.py). The report shows samples of
fixed latents, the same at every step of a run, and interpolations between
latents.
"""

from collections.abc import Callable, Iterator, Sequence
import dataclasses
import functools
import os
import time
from typing import Any, NamedTuple

from absl import logging
import numpy as np

from artjax import atomic_files
from artjax.data import sources
from artjax.evaluation import base
from artjax.evaluation import digit_scores
from artjax.evaluation import report
from artjax.inference import sampler

SAMPLES = 10_000  # measured, where eval.max_pictures does not say less
_COLUMNS, _ROWS = 16, 8  # of the pictures shown
_MODES = {'confident': 'max', 'entropy': 'max', 'frechet': 'min'}


class Record(NamedTuple):
  """Some samples, and their purpose."""

  part: str  # 'measured', 'samples' or 'interpolation'
  pictures: np.ndarray  # u8[N, H, W, 3]
  seconds: float


@dataclasses.dataclass(frozen=True)
class Results(base.Results):
  """Figures of samples and of real digits.

  Attributes:
    output: {metric: number} of the samples.
    real: the same of the real digits, and the classifier's 'accuracy'.
    samples: their number.
    digits: number of the real digits.
    source: where these are from.
    seconds: of drawing the samples.
    shown: {'samples', 'interpolation'}: u8[H, W, 3].
    names: of the figures to report.
  """

  output: dict[str, float]
  real: dict[str, float]
  samples: int
  digits: int
  source: str
  seconds: float
  shown: dict[str, np.ndarray]
  names: tuple[str, ...] = tuple(_MODES)

  def figures(self) -> dict[str, float]:
    """See `base.Results`."""
    return {name: self.output[name] for name in self.names}

  def scalars(self) -> dict[str, float]:
    """See `base.Results`."""
    real = {f'eval_real/{name}': v for name, v in self.real.items()}
    return super().scalars() | real

  def images(self) -> dict[str, np.ndarray]:
    """See `base.Results`."""
    return {name: picture[None] for name, picture in self.shown.items()}

  def table(self) -> str:
    """Samples and real digits."""
    lines = ['| metric | samples | real digits |', '|---|---|---|']
    for name, value in self.real.items():
      ours = f'{self.output[name]:.4f}' if name in self.output else '-'
      lines.append(f'| {name} | {ours} | {value:.4f} |')
    return '\n'.join(
      [
        *lines,
        '',
        f'{self.samples} samples, {self.digits} digits of {self.source}; '
        'confident: share with a probability of '
        f'{digit_scores.CONFIDENT} or more; entropy of the classes in nats, at '
        f'most {np.log(10):.4f}.',
      ]
    )

  def as_json(self) -> dict[str, Any]:
    """See `base.Results`."""
    plain = lambda found: {k: base.finite(v) for k, v in found.items()}
    return {
      'output': plain(self.output),
      'input': plain(self.real),
      'pictures': self.samples,
      'seconds': round(self.seconds, 2),
    }

  def stated(self) -> dict[str, Any]:
    """See `base.Results`."""
    return {'source': self.source}

  def write(self, folder: str, settings: dict[str, Any]) -> None:
    """Writes report.md, samples.png and interpolation.png."""
    self._write_shown(folder, '')
    report.write_page(
      folder,
      'Evaluation',
      settings,
      f'{self.table()}\n\n![samples](samples.png)\n\n'
      'From one sample to another:\n\n![interpolation](interpolation.png)',
    )

  def write_progress(self, workdir: str, step: int) -> None:
    """Writes the same two pictures to `<workdir>/samples`, by step."""
    self._write_shown(os.path.join(workdir, 'samples'), f'_{step:07d}')

  def _write_shown(self, folder, suffix):
    for name, picture in self.shown.items():
      path = os.path.join(folder, f'{name}{suffix}.png')
      atomic_files.write_picture(path, picture)


class Digits(base.Evaluator):
  """Measures samples, and real digits that were not used for training.

  The real digits are those of eval.source (or, if that is '', of the split
  `test` of data.source) of at least eval.min_size px. eval.max_pictures limits
  samples and real digits; 0 means 10 000 samples and all real digits.
  """

  own = tuple(_MODES)
  best = 'frechet'

  def _figures(self):
    return base.known(self.metrics, _MODES, self.config.task)

  def examples(self) -> Iterator[dict[str, Any]]:
    """Latents of the samples to measure and of the samples to show."""
    seed = self.config.seed
    count = self.config.eval.max_pictures or SAMPLES
    measured = sampler.latents(seed, count)
    for i in range(0, count, sampler.CHUNK):
      yield {'part': 'measured', 'latents': measured[i : i + sampler.CHUNK]}
    fixed = sampler.latents(seed, _COLUMNS * _ROWS)
    walks = [
      sampler.walk(fixed[i], fixed[i + _ROWS], _COLUMNS) for i in range(_ROWS)
    ]
    yield {'part': 'samples', 'latents': fixed}
    yield {'part': 'interpolation', 'latents': np.concatenate(walks)}

  def measure(
    self, restorer: Callable[..., Any], example: dict[str, Any], shown: bool
  ) -> Record:
    """See `base.Evaluator`; the restorer is a `sampler.Sampler`."""
    del shown
    start = time.perf_counter()
    pictures = restorer(example['latents'])
    return Record(example['part'], pictures, time.perf_counter() - start)

  def summarize(self, records: Sequence[Record]) -> Results:
    """See `base.Evaluator`.

    Raises:
      ValueError: digits without labels, or of another size than the samples.
    """
    measured = [r for r in records if r.part == 'measured']
    samples = np.concatenate([r.pictures for r in measured])[..., 0]
    data, fields = self.config.data, self.config.eval
    source = fields.source or f'{data.source}:test'
    split = fields.split or 'all'
    real, labels = labelled(source, split, data.validation, fields.min_size)
    limit = fields.max_pictures or None
    real, labels = real[:limit], labels[:limit]
    if real.shape[1:] != samples.shape[1:]:
      raise ValueError(
        f'{source}: digits of {real.shape[2]} x {real.shape[1]} px, but '
        f'{samples.shape[2]} x {samples.shape[1]} px are drawn'
      )
    classifier, reference = _classifier(
      data.source, data.validation, data.min_size
    )
    seen = digit_scores.look(classifier, real)
    accuracy = float(np.mean(seen.probabilities.argmax(1) == labels))
    drawn = digit_scores.look(classifier, samples)
    return Results(
      output=digit_scores.measure(drawn, reference),
      real=digit_scores.measure(seen, reference) | {'accuracy': accuracy},
      samples=len(samples),
      digits=len(real),
      source=source,
      seconds=sum(r.seconds for r in measured),
      shown={
        r.part: grid(r.pictures, _COLUMNS)
        for r in records
        if r.part != 'measured'
      },
      names=tuple(self.figures),
    )


def grid(pictures: np.ndarray, columns: int) -> np.ndarray:
  """u8[N, H, W, 3], row by row -> one u8 picture; N divides by columns."""
  _, height, width, channels = pictures.shape
  rows = pictures.reshape(-1, columns, height, width, channels)
  return rows.transpose(0, 2, 1, 3, 4).reshape(-1, columns * width, channels)


def labelled(
  spec: str, part: str, validation: float, min_size: int
) -> tuple[np.ndarray, np.ndarray]:
  """(u8[N, H, W], u8[N]) of a source, see sources/base.py.

  Raises:
    ValueError: its pictures have no labels.
  """
  source = sources.split(
    sources.load(spec, min_size=min_size), part, validation
  )
  examples = [source[i] for i in range(len(source))]
  if 'label' not in examples[0]:
    raise ValueError(
      f'{spec}: has no labels, and samples are measured by a classifier: take '
      'idx:DIR or tfds:mnist, or eval_every=0'
    )
  return (
    np.stack([example['image'][..., 0] for example in examples]),
    np.array([example['label'] for example in examples], np.uint8),
  )


@functools.lru_cache(maxsize=1)
def _classifier(source, validation, min_size):
  """(its weights, what it sees in digits that it was trained on)."""
  pictures, labels = labelled(source, 'train', validation, min_size)
  start = time.perf_counter()
  params = digit_scores.train(pictures, labels)
  logging.info(
    'Classifier of %d digits, trained in %.0f s',
    len(pictures),
    time.perf_counter() - start,
  )
  return params, digit_scores.look(params, pictures[:SAMPLES])

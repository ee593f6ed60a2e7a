"""Batches for training and whole pictures for evaluation.

Everything rests on one pure function of the config and an index:

  build(index) = ops(source[permutation(seed, epoch)[index % n]],
                     rng(seed, index))

so step k sees the same batch after a restart, with another number of workers
or devices, and with every loader of loaders.py: tf.data ('tf'), or threads or
processes without TensorFlow. There is no state to save: a run that resumes at
step k sets `start_step=k`.

A file that becomes unreadable during a run does not end an epoch. In training
the next picture of the source replaces it, which is logged once per file; an
evaluation continues without it and logs that every time.
"""

from collections.abc import Callable, Generator, Iterator
import functools
import threading
from typing import Any

from absl import logging
import cv2
from ml_collections import ConfigDict
import numpy as np

from artjax import registry
from artjax.data import examples
from artjax.data import loaders
from artjax.data import sources
from artjax.data.sources import scan

# Streams of random numbers that must not meet, whatever the index.
_ORDER, _TRAIN, _EVAL = range(3)
_NEIGHBOURS = 16  # bad pictures in a row before a run gives up


def batches(
  config: ConfigDict,
  split: str = 'train',
  *,
  start_step: int = 0,
  num_devices: int | None = None,
  process_index: int = 0,
  process_count: int = 1,
) -> Generator[dict[str, np.ndarray], None, None]:
  """Endless batches of one part of `config.data.source`.

  Args:
    config: reads seed, batch_size (over all processes) and data.*.
    split: 'train' | 'validation' | 'all'.
    start_step: the first batch is that of this step.
    num_devices: local devices D; None = as many as JAX has.
    process_index: which of `process_count` equal shares of each global batch.
    process_count: processes that train together.

  Returns:
    A generator of dicts of np arrays: 'image' and what the ops leave of
    'target', 'mask' and 'context', u8[D, B/D, H, W, 3], each of its own H and W
    where pairs or ops make it so. B = batch_size / process_count. Devices and
    processes divide a global batch without changing it. Close the generator to
    end its threads.

  Raises:
    ValueError: batch_size that does not divide, unknown loader, and what
      `sources` and `registry` raise; from the generator: examples that differ
      in shape, and an op that fails (naming op and picture).
  """
  if num_devices is None:
    import jax  # only here: making examples needs no JAX

    num_devices = jax.local_device_count()
  local = local_batch(config, num_devices, process_count)
  if config.data.loader not in loaders.DRIVERS:
    raise ValueError(
      f'data.loader={config.data.loader!r} is not one of '
      f'{", ".join(loaders.DRIVERS)}'
    )
  workers = config.data.workers or scan.cores()
  example = _Examples(config, split, local, process_index)
  _ = example.build  # What is wrong with the config is said now.
  if config.data.loader == 'processes':
    del example.build  # Each of them decodes its own pictures.

  def generate():
    # Workers are the parallelism: OpenCV's own threads beneath each of them
    # would only fight for the same cores.
    cv2.setNumThreads(0)
    for batch in loaders.DRIVERS[config.data.loader](
      example, start_step * local, local, workers, config.data.prefetch
    ):
      yield {
        key: value.reshape((num_devices, -1) + value.shape[1:])
        for key, value in batch.items()
      }

  return generate()


def local_batch(
  config: ConfigDict, num_devices: int, process_count: int
) -> int:
  """How many examples of a batch each process makes.

  Args:
    config: reads batch_size, of all processes.
    num_devices: of each process.
    process_count: of the run.

  Raises:
    ValueError: the devices cannot have equal shares.
  """
  size, rest = divmod(config.batch_size, num_devices * process_count)
  if rest or size < 1:
    raise ValueError(
      f'batch_size={config.batch_size} does not divide by {num_devices} '
      f'devices in each of {process_count} processes'
    )
  return size * num_devices


class _Examples:
  """example(number): the number-th of one process since step 0.

  A copy in a worker process opens the same pictures, also if one has vanished
  by then, with its share of the cache.
  """

  def __init__(self, config, split, local, process_index):
    self._config = config
    self._split = split
    self._local = local
    self._process_index = process_index
    self._entries = None  # of another process

  def __call__(self, number):
    step, place = divmod(number, self._local)
    return self.build(
      step * self._config.batch_size + self._process_index * self._local + place
    )

  @functools.cached_property
  def build(self):
    source = _source(self._config, self._split)
    if self._entries is None:
      self._entries = source.entries
    source.entries = self._entries
    return _builder(self._config, source)

  def __getstate__(self):
    config = self._config.copy_and_resolve_references().unlock()
    config.data.cache_mb //= config.data.workers or scan.cores()
    return {
      key: value for key, value in vars(self).items() if key != 'build'
    } | {'_config': config}


def builder(
  config: ConfigDict, split: str = 'train'
) -> Callable[[int], dict[str, np.ndarray]]:
  """A function build(index): the training example of any index, u8[H, W, 3].

  A pure function of the config and the index, safe in any number of threads.
  """
  return _builder(config, _source(config, split))


def _source(config, split):
  source = sources.load(
    config.data.source,
    min_size=config.data.min_size,
    cache_mb=config.data.cache_mb,
    workers=config.data.workers,
  )
  return sources.split(source, split, config.data.validation)


def _builder(config, source):
  registry.use(config.get('modules', ()))
  ops = registry.chain(config.data.ops)
  order = _order(config.seed, len(source))
  seed = config.seed
  bad = _Once()

  def build(index):
    epoch, place = divmod(index, len(source))
    picture = _readable(source, int(order(epoch)[place]), bad)
    rng = np.random.default_rng((_TRAIN, seed, index))
    return _quantise(ops(picture, rng))

  return build


def pictures(config: ConfigDict, *, start: int = 0) -> 'Pictures':
  """Whole pictures for an evaluation, one example each, always in one order.

  The damage of a picture depends on `seed` and its content only, so a subset
  is damaged like the whole. `eval.max_pictures` takes those of the smallest
  content digest: a fixed random sample, not the first of the alphabet.

  Args:
    config: reads seed, data.* and eval.source, split, ops, min_size and
      max_pictures. The
      split '' means all of `eval.source` if set, else the validation part of
      `data.source`.
    start: number of pictures to skip.

  Returns:
    `len()` pictures, which can be iterated over any number of times: dicts of
    'name' and u8[H, W, 3] 'image', and 'target' and 'mask' if the ops leave
    them. A few are made ahead, in threads. An op that fails raises ValueError.
  """
  registry.use(config.get('modules', ()))
  spec = config.eval.source or config.data.source
  part = config.eval.split or ('all' if config.eval.source else 'validation')
  source = sources.load(
    spec, min_size=config.eval.min_size, workers=config.data.workers
  )
  source = sources.split(source, part, config.data.validation)
  limit = config.eval.max_pictures or len(source)
  chosen = sorted(range(len(source)), key=lambda i: source.entries[i].digest)
  chosen = sorted(chosen[:limit])
  return Pictures(
    source.subset(chosen[start:]),
    registry.chain(config.eval.ops),
    config.seed,
    config.data.workers or scan.cores(),
  )


class Pictures:
  """Examples of an evaluation, see `pictures`."""

  def __init__(
    self, source: sources.Source, ops: examples.Op, seed: int, workers: int
  ):
    self.source = source
    self._ops = ops
    self._seed = seed
    self._workers = workers

  def __len__(self) -> int:
    return len(self.source)

  def __iter__(self) -> Iterator[dict[str, Any]]:
    cv2.setNumThreads(0)
    # Whole pictures are large: one ahead for each worker is enough.
    made = loaders.ahead(
      loaders.threads(self._workers),
      self._build,
      range(len(self)),
      self._workers,
    )
    return (example for example in made if example)

  def _build(self, i):
    try:
      picture = self.source[i]
    except sources.Unreadable as error:
      logging.error('Evaluating without a picture that went bad: %s', error)
      return None
    content = int.from_bytes(self.source.entries[i].digest[:8], 'big')
    rng = np.random.default_rng((_EVAL, self._seed, content))
    example = self._ops(picture, rng)
    return {'name': picture['name'], **_quantise(example)}


# Making one example.


def _order(seed, size):
  """order(epoch): a random permutation of `size` pictures."""

  # Several epochs are open at once where a batch is larger than the source.
  @functools.lru_cache(maxsize=max(2, min(256, 2**20 // size)))
  def order(epoch):
    return np.random.default_rng((_ORDER, seed, epoch)).permutation(size)

  return order


class _Once:
  """Calls that differ, the first of each: `if once(x): ...`."""

  def __init__(self):
    self._seen = set()
    self._lock = threading.Lock()

  def __call__(self, value):
    with self._lock:
      new = value not in self._seen
      self._seen.add(value)
      return new


def _readable(source, place, first_time):
  """The picture at `place`, or the next one that can still be read."""
  for i in range(min(_NEIGHBOURS, len(source))):
    neighbour = (place + i) % len(source)
    try:
      return source[neighbour]
    except sources.Unreadable as error:
      if first_time(neighbour):
        logging.error(
          'A picture went bad; its neighbour takes its place: %s', error
        )
      last = error
  raise sources.Unreadable(
    f'{source.spec}: {i + 1} pictures in a row went bad, is it still there? '
    f'The last was {last}'
  )


def _quantise(example):
  """The pictures of an example alone, as u8."""
  return {
    key: _to_u8(key, example[key]) for key in examples.KEYS if key in example
  }


def _to_u8(key, array):
  if array.dtype == np.uint8:
    return array
  if array.dtype == bool or key == 'mask':
    raise ValueError(f'{key!r} is {array.dtype}, expected u8 in [0, 255]')
  # A new array, so rounding and clipping can be done in place.
  scaled = np.multiply(array, 255, dtype=np.float32)
  np.rint(scaled, out=scaled)
  return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)

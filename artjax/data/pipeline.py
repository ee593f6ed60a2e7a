"""Batches for training and whole pictures for evaluation.

Everything rests on one pure function of the config and an index:

  build(index) = ops(source[permutation(seed, epoch)[index % n]],
                     rng(seed, index))

so step k sees the same batch after a restart, with another number of workers
or devices, and under either driver: tf.data ('tf'), or a thread pool
('threads') where TensorFlow is not installed. Nothing here has a state to
save; going on at step k is `start_step=k`.

A file that goes bad during a run does not end an epoch. In training the next
picture of the source takes its place, and this is logged once a file; an
evaluation goes on without it and logs that each time.
"""
import collections
import concurrent.futures
import functools
import threading

from absl import logging
import cv2
import numpy as np

from artjax import lookup
from artjax.data import ops as ops_lib
from artjax.data import scan
from artjax.data import sources

# Streams of random numbers that must not meet, whatever the index.
_ORDER, _TRAIN, _EVAL = range(3)
_NEIGHBOURS = 16  # bad pictures in a row before a run gives up


def batches(config, split='train', *, start_step=0, num_devices=None,
            process_index=0, process_count=1):
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
    where pairs or ops make it so, and '_mask', f32[D, B/D], ones.
    B = batch_size / process_count. Devices and processes divide a global batch
    without changing it. Close the generator to end its threads.

  Raises:
    ValueError: batch_size that does not divide, unknown loader, and what
      `sources` and `lookup` raise; from the generator: examples that differ in
      shape, and an op that fails (naming op and picture).
  """
  if num_devices is None:
    import jax  # only here: making examples needs no JAX
    num_devices = jax.local_device_count()
  size, rest = divmod(config.batch_size, num_devices * process_count)
  if rest or size < 1:
    raise ValueError(
        f'batch_size={config.batch_size} does not divide by {num_devices} '
        f'devices in each of {process_count} processes')
  drivers = {'tf': _tf_batches, 'threads': _thread_batches}
  if config.data.loader not in drivers:
    raise ValueError(f'data.loader={config.data.loader!r} is none of '
                     f'{", ".join(drivers)}')
  local = size * num_devices
  build = builder(config, split)
  workers = config.data.workers or scan.cores()

  def example(number):  # the number-th of this process since step 0
    step, place = divmod(number, local)
    return build(step * config.batch_size + process_index * local + place)

  def generate():
    # Workers are the parallelism: OpenCV's own threads beneath each of them
    # would only fight for the same cores.
    cv2.setNumThreads(0)
    for batch in drivers[config.data.loader](
        example, start_step * local, local, workers, config.data.prefetch):
      batch = {key: value.reshape((num_devices, size) + value.shape[1:])
               for key, value in batch.items()}
      batch['_mask'] = np.ones((num_devices, size), np.float32)
      yield batch

  return generate()


def builder(config, split='train'):
  """`build(index)`: the training example of any index, u8[H, W, 3] each.

  A pure function of the config and the index, safe in any number of threads.
  """
  source = sources.load(
      config.data.source, min_size=config.data.min_size,
      cache_mb=config.data.cache_mb, workers=config.data.workers)
  source = sources.split(source, split, config.data.validation)
  ops = lookup.chain(config.data.ops)
  order = _order(config.seed, len(source))
  seed = config.seed
  bad = _Once()

  def build(index):
    epoch, place = divmod(index, len(source))
    picture = _readable(source, int(order(epoch)[place]), bad)
    rng = np.random.default_rng((_TRAIN, seed, index))
    return _quantise(ops(picture, rng))

  return build


def pictures(config, *, start=0):
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
  spec = config.eval.source or config.data.source
  part = config.eval.split or ('all' if config.eval.source else 'validation')
  source = sources.load(spec, min_size=config.eval.min_size,
                        workers=config.data.workers)
  source = sources.split(source, part, config.data.validation)
  limit = config.eval.max_pictures or len(source)
  chosen = sorted(range(len(source)), key=lambda i: source.entries[i].digest)
  chosen = sorted(chosen[:limit])
  return Pictures(source.subset(chosen[start:]), lookup.chain(config.eval.ops),
                  config.seed, config.data.workers or scan.cores())


class Pictures:
  """See `pictures`."""

  def __init__(self, source, ops, seed, workers):
    self.source = source
    self._ops = ops
    self._seed = seed
    self._workers = workers

  def __len__(self):
    return len(self.source)

  def __iter__(self):
    cv2.setNumThreads(0)
    # Whole pictures are large: one ahead for each worker is enough.
    made = _ahead(self._build, range(len(self)), self._workers, self._workers)
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
  @functools.lru_cache(maxsize=max(2, min(256, 2 ** 20 // size)))
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
        logging.error('A picture went bad; its neighbour takes its place: %s',
                      error)
      last = error
  raise sources.Unreadable(
      f'{source.spec}: {i + 1} pictures in a row went bad, is it still there? '
      f'The last was {last}')


def _quantise(example):
  """The pictures of an example alone, as u8."""
  return {key: _to_u8(key, example[key]) for key in ops_lib.KEYS
          if key in example}


def _to_u8(key, array):
  if array.dtype == np.uint8:
    return array
  if array.dtype == bool or key == 'mask':
    raise ValueError(f'{key!r} is {array.dtype}, expected u8 in [0, 255]')
  # A new array, so rounding and clipping can be done in place.
  scaled = np.multiply(array, 255, dtype=np.float32)
  np.rint(scaled, out=scaled)
  return np.clip(scaled, 0, 255, out=scaled).astype(np.uint8)


# Two drivers of the same example(number), from `start` on: generators of dicts
# of u8[batch_size, H, W, 3].


def _thread_batches(example, start, batch_size, workers, prefetch):
  """Threads that work up to `prefetch` batches ahead, in order."""
  def numbers():
    number = start
    while True:
      yield number
      number += 1

  waiting = []
  for made in _ahead(example, numbers(), workers,
                     max(1, prefetch) * batch_size):
    waiting.append(made)
    if len(waiting) == batch_size:
      yield _stack(waiting)
      waiting = []


def _ahead(fn, items, workers, ahead):
  """map(fn, items) in threads, in order, at most `ahead` items early."""
  pool = concurrent.futures.ThreadPoolExecutor(workers, 'pipeline')
  pending = collections.deque()
  try:
    for item in items:
      pending.append(pool.submit(fn, item))
      if len(pending) > ahead:
        yield pending.popleft().result()
    while pending:
      yield pending.popleft().result()
  finally:
    pool.shutdown(wait=True, cancel_futures=True)


def _stack(examples):
  """Examples -> one dict of stacked arrays; they must be alike."""
  first = examples[0]
  for other in examples:
    _check_alike({key: value.shape for key, value in first.items()}, other)
  return {key: np.stack([example[key] for example in examples])
          for key in first}


def _check_alike(shapes, example):
  found = {key: value.shape for key, value in example.items()}
  if found != shapes:
    raise ValueError(
        f'examples of a batch differ, {shapes} and {found}: data.ops needs a '
        'crop, and keep("image", "target") or so at its end')


def _tf_batches(example, start, batch_size, workers, prefetch):
  """tf.data; TensorFlow is imported only here."""
  import tensorflow as tf
  if tf.config.list_physical_devices('GPU'):
    try:
      tf.config.set_visible_devices([], 'GPU')  # they are JAX's
    except RuntimeError as error:
      logging.warning('TensorFlow already holds the GPUs: %s', error)
  failures = []  # the first is raised as it is, not as TensorFlow's account
  shapes = {key: value.shape for key, value in example(start).items()}

  def make(number):
    try:
      made = example(int(number))
      _check_alike(shapes, made)
      return tuple(made[key] for key in shapes)
    except Exception as error:
      failures.append(error)
      raise

  def load(number):
    arrays = tf.numpy_function(
        make, [number], [tf.uint8] * len(shapes), stateful=False)
    for array, shape in zip(arrays, shapes.values()):
      array.set_shape(shape)
    return dict(zip(shapes, arrays))

  data = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
  data = data.map(load, num_parallel_calls=workers, deterministic=True)
  data = data.batch(batch_size, drop_remainder=True,
                    num_parallel_calls=1).prefetch(max(1, prefetch))
  options = tf.data.Options()
  options.autotune.enabled = False  # the numbers of threads are given
  options.threading.private_threadpool_size = workers + 2
  try:
    yield from data.with_options(options).as_numpy_iterator()
  except tf.errors.OpError:
    if failures:
      raise failures[0] from None
    raise

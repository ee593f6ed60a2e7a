"""Loaders that make examples in parallel and stack them into batches.

loader(example, start, batch_size, workers, prefetch) is a generator of dicts of
u8[batch_size, H, W, 3] with example(start), example(start + 1), ... in order,
whatever the loader and the number of workers.

  tf         tf.data, the default
  threads    works without TensorFlow, at the same speed
  processes  avoids Python's global lock: nearly 1.5 times as fast on 2 cores,
             but needs some seconds to start and one cache per worker

`DRIVERS` maps their names to them.
"""

import collections
from collections.abc import Callable, Iterable, Iterator
import concurrent.futures
import concurrent.futures.process
import itertools
from typing import Any

from absl import logging
import cv2
import numpy as np

from artjax import worker_processes
from artjax.data.sources import scan


def ahead(
  pool: concurrent.futures.Executor,
  fn: Callable[[Any], Any],
  items: Iterable[Any],
  count: int,
) -> Iterator[Any]:
  """map(fn, items) in order, by a pool that works `count` items ahead.

  The pool is shut down when the generator ends or is closed.
  """
  pending: collections.deque[concurrent.futures.Future] = collections.deque()
  try:
    for item in items:
      pending.append(pool.submit(fn, item))
      if len(pending) > count:
        yield pending.popleft().result()
    while pending:
      yield pending.popleft().result()
  finally:
    pool.shutdown(wait=True, cancel_futures=True)


def threads(workers: int) -> concurrent.futures.ThreadPoolExecutor:
  """A pool of so many threads."""
  return concurrent.futures.ThreadPoolExecutor(workers, 'pipeline')


def _thread_batches(example, start, batch_size, workers, prefetch):
  made = ahead(
    threads(workers),
    example,
    itertools.count(start),
    max(1, prefetch) * batch_size,
  )
  yield from _batched(made, batch_size)


def _process_batches(example, start, batch_size, workers, prefetch):
  pool = worker_processes.pool(workers, _start_worker, example, scan.verdicts)
  made = ahead(
    pool, _made, itertools.count(start), max(1, prefetch) * batch_size
  )
  try:
    yield from _batched(made, batch_size)
  except concurrent.futures.process.BrokenProcessPool as error:
    raise RuntimeError(
      'A process that makes examples died, perhaps for want of memory: '
      'fewer data.workers or data.loader=threads need less'
    ) from error


_example = None  # of a worker process


def _start_worker(example, verdicts):
  """Makes a process ready to give examples."""
  global _example
  cv2.setNumThreads(0)
  scan.verdicts.update(verdicts)  # Nothing is checked a second time.
  _example = example


def _made(number):
  return _example(number)


def _batched(examples, size):
  """Dicts of `size` stacked examples, which must be alike."""
  waiting = []
  for example in examples:
    if waiting:
      _check_alike({key: x.shape for key, x in waiting[0].items()}, example)
    waiting.append(example)
    if len(waiting) == size:
      yield {
        key: np.stack([example[key] for example in waiting])
        for key in waiting[0]
      }
      waiting = []


def _check_alike(shapes, example):
  found = {key: value.shape for key, value in example.items()}
  if found != shapes:
    raise ValueError(
      f'examples of a batch differ, {shapes} and {found}: data.ops needs a '
      'crop, and keep("image", "target") or so at its end'
    )


def _tf_batches(example, start, batch_size, workers, prefetch):
  """tf.data; TensorFlow is imported only here."""
  try:
    import tensorflow as tf
  except ImportError as error:
    raise ValueError(
      "data.loader='tf' needs TensorFlow: pip install 'artjax[train]'; "
      f'--config.data.loader=threads makes the same batches without ({error})'
    ) from error

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
      make, [number], [tf.uint8] * len(shapes), stateful=False
    )
    for array, shape in zip(arrays, shapes.values()):
      array.set_shape(shape)
    return dict(zip(shapes, arrays))

  data = tf.data.Dataset.range(start, np.iinfo(np.int64).max)
  data = data.map(load, num_parallel_calls=workers, deterministic=True)
  data = data.batch(
    batch_size, drop_remainder=True, num_parallel_calls=1
  ).prefetch(max(1, prefetch))
  options = tf.data.Options()
  options.autotune.enabled = False  # the numbers of threads are given
  options.threading.private_threadpool_size = workers + 2
  try:
    yield from data.with_options(options).as_numpy_iterator()
  except tf.errors.OpError:
    if failures:
      raise failures[0] from None
    raise


DRIVERS = {
  'tf': _tf_batches,
  'threads': _thread_batches,
  'processes': _process_batches,
}

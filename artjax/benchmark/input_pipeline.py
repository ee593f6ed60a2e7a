"""Speed of the input pipeline."""

import argparse
import statistics
import time

from artjax.benchmark import memory

# What the pipeline is measured with: damage on 128-px crops.
CROPS = (
  'random_scale_crop(128, 0.2)|flip|rotate90|copy("image", "target")|'
  'old_painting((0.0, 1.0))|keep("image", "target")'
)


def speed(args: argparse.Namespace) -> dict:
  """Examples a second of the training pipeline, with nothing else to do."""
  from artjax import config as defaults
  from artjax.data import pipeline

  config = defaults.get_config()
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
    'resident_mb': round(memory.resident_mb()),
  }

"""Experiment trackers beside TensorBoard: Weights & Biases and MLflow.

`config.loggers` names them. Where they write is what their own settings say:
MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME, WANDB_PROJECT and WANDB_MODE. A
run that goes on does so in the tracker, too: its identity there is kept in
`<workdir>/trackers.json`.

Each takes the calls of `clu.metric_writers.MetricWriter` that are used.
"""

from collections.abc import Callable, Mapping, Sequence
import importlib.util
import json
import math
import os
import re
from typing import Any

import ml_collections
import numpy as np

from artjax import atomic_files


def check(names: Sequence[str]) -> None:
  """Refuses a tracker that is unknown or not installed.

  Raises:
    ValueError: naming it, and what to install.
  """
  for name in names:
    if name not in _TRACKERS:
      raise ValueError(
        f'loggers: no {name!r}; there are {", ".join(_TRACKERS)}, and '
        'TensorBoard and metrics.jsonl always'
      )
    if importlib.util.find_spec(name) is None:
      raise ValueError(
        f'loggers: {name} is not installed: pip install {name}, or leave it out'
      )


def start(config: ml_collections.ConfigDict, workdir: str) -> dict[str, Any]:
  """{name: writer} of `config.loggers`, whose runs have begun or gone on.

  Raises:
    ValueError: one cannot begin, with its reason.
  """
  path = os.path.join(workdir, 'trackers.json')
  known: dict[str, str] = {}
  if config.loggers and os.path.exists(path):
    with open(path) as file:
      known = json.load(file)
  writers = {}
  for name in config.loggers:
    try:
      writers[name] = _TRACKERS[name](config, workdir, known.get(name))
    except Exception as error:  # of many types: of networks, accounts, settings
      lines = str(error).splitlines() or [type(error).__name__]
      raise ValueError(f'loggers: {name} cannot begin: {lines[0]}') from error
    known[name] = writers[name].identity
    atomic_files.write_text(path, json.dumps(known))
  return writers


class Mlflow:
  """A run of MLflow; pictures and texts are artifacts of it.

  Attributes:
    identity: MLflow's id of the run.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: str,
    identity: str | None = None,
  ):
    """Begins a run, or goes on with one.

    Args:
      config: its fields are the run's parameters.
      workdir: its name is the run's.
      identity: of the run to go on with.
    """
    import mlflow  # Seconds, and an extra.

    run = mlflow.start_run(
      run_id=identity, run_name=None if identity else _name(workdir)
    )
    self.identity = run.info.run_id
    self._end = mlflow.end_run
    self._client = mlflow.MlflowClient()
    if identity is None:  # parameters of a run cannot change
      mlflow.log_params(_flat(config))

  def write_scalars(self, step: int, scalars: Mapping[str, Any]) -> None:
    """{name: number} at `step`."""
    for name, value in scalars.items():
      # Values that are not finite stop some of MLflow's stores.
      if math.isfinite(value):
        self._client.log_metric(
          self.identity, _plain(name), float(value), step=step
        )

  def write_texts(self, step: int, texts: Mapping[str, str]) -> None:
    """{name: markdown} as <name>-<step>.md."""
    for name, text in texts.items():
      self._client.log_text(self.identity, text, f'{_plain(name)}-{step}.md')

  def write_images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
    """{name: u8[N, H, W, 3]} as <name>/<step>-<i>.png."""
    for name, pictures in images.items():
      for i, picture in enumerate(pictures):
        self._client.log_image(
          self.identity, picture, f'{_plain(name)}/{step:08d}-{i}.png'
        )

  def flush(self) -> None:
    """Every call has returned when it was sent."""

  def close(self) -> None:
    """Ends the run in the tracker; it can be gone on with."""
    self._end()


class Wandb:
  """A run of Weights & Biases.

  Attributes:
    identity: its id of the run.
  """

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: str,
    identity: str | None = None,
  ):
    """Begins a run, or goes on with one; see `Mlflow`."""
    import wandb  # Seconds, and an extra.

    self._wandb = wandb
    self._run = wandb.init(
      id=identity,
      resume='allow',
      name=_name(workdir),
      dir=workdir,
      config=_flat(config),
    )
    self.identity = self._run.id
    # Its own steps go forwards only: those that a kill repeats would be lost.
    self._run.define_metric('*', step_metric='step')

  def write_scalars(self, step: int, scalars: Mapping[str, Any]) -> None:
    """{name: number} at `step`."""
    self._run.log({'step': step, **{k: float(v) for k, v in scalars.items()}})

  def write_texts(self, step: int, texts: Mapping[str, str]) -> None:
    """{name: markdown}, as tables of a line."""
    self._run.log(
      {
        'step': step,
        **{
          name: self._wandb.Table(columns=['text'], data=[[text]])
          for name, text in texts.items()
        },
      }
    )

  def write_images(self, step: int, images: Mapping[str, np.ndarray]) -> None:
    """{name: u8[N, H, W, 3]} at `step`."""
    self._run.log(
      {
        'step': step,
        **{
          name: [self._wandb.Image(picture) for picture in pictures]
          for name, pictures in images.items()
        },
      }
    )

  def flush(self) -> None:
    """It sends what it has by itself."""

  def close(self) -> None:
    """Returns when all is sent."""
    self._run.finish()


_TRACKERS: dict[str, Callable[..., Any]] = {'mlflow': Mlflow, 'wandb': Wandb}


def _name(workdir):
  return os.path.basename(os.path.abspath(workdir))


def _plain(name):
  """A name of the characters that MLflow allows in metrics and files."""
  return re.sub(r'[^\w./ -]+', '-', name).replace(' ', '_')


def _flat(config):
  """{dotted field: value} of a configuration, short enough for a parameter."""
  found: dict[str, Any] = {}
  for name, value in config.items():
    if isinstance(value, ml_collections.ConfigDict):
      found |= {f'{name}.{field}': v for field, v in _flat(value).items()}
    else:
      found[name] = str(value)[:500]
  return found

"""Progress and profiles, by clu.periodic_actions.

Once a minute a line in the log reports the progress of the run and how its time
was spent. Without clu there is only the line of the loop, every `log_every`
steps. With `config.profile_steps` a trace is written to the workdir, which
TensorBoard shows under PROFILE (its plugin xprof) and ui.perfetto.dev opens.
"""

import contextlib
import re
from types import ModuleType
from typing import Any

import jax
import ml_collections


def profiled(config: ml_collections.ConfigDict) -> tuple[int, int] | None:
  """The first and the last step of `config.profile_steps`, or None.

  Raises:
    ValueError: it is not such a range, or it ends after the run.
  """
  text = config.profile_steps
  if not text:
    return None
  match = re.fullmatch(r'(\d+)(?:-(\d+))?', text)
  first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
  if not 1 <= first <= last <= config.steps:
    raise ValueError(
      f'profile_steps={text!r} is not a range of steps such as 20-25, within '
      f'the {config.steps} of the run'
    )
  return first, last


class Progress:
  """Called after each step; `timed` names what other time is spent on."""

  def __init__(
    self,
    config: ml_collections.ConfigDict,
    workdir: str,
    step: int,
    *,
    primary: bool = True,
  ):
    """Begins at `step`.

    Args:
      config: reads steps, profile_steps.
      workdir: folder for traces.
      step: number of steps so far.
      primary: whether this process reports; others do nothing.

    Raises:
      ValueError: `profile_steps` cannot be used, or clu is missing for it.
    """
    self._progress: Any = None
    self._profile: Any = None
    self._last = 0  # step of the profile
    steps = profiled(config)
    actions = _periodic_actions()
    if steps and actions is None:
      raise ValueError(
        'profile_steps needs clu, which is not installed: pip install clu'
      )
    if not primary or actions is None:
      return
    self._progress = actions.ReportProgress(num_train_steps=config.steps)
    if steps and step < steps[1]:
      before = max(steps[0] - 1, step)
      self._last = steps[1]
      self._profile = actions.Profile(
        logdir=workdir,
        num_profile_steps=self._last - before,
        profile_duration_ms=None,
        first_profile=before,
        every_secs=None,
      )
      self._profile(step)

  def __call__(self, step: int, metrics: Any) -> None:
    """After `step`, whose metrics may still be computed."""
    if self._progress:
      self._progress(step)
    if self._profile and step <= self._last:
      if step == self._last:
        jax.block_until_ready(metrics)  # or the trace would end before it
      self._profile(step)

  def timed(self, name: str) -> contextlib.AbstractContextManager[None]:
    """Context: its time is reported under `name`."""
    if not self._progress:
      return contextlib.nullcontext()
    return self._progress.timed(name, wait_jax_async_dispatch=False)

  def close(self) -> None:
    """Writes a trace that has not been ended."""
    if self._profile:
      self._profile(2 * self._last)


def _periodic_actions() -> ModuleType | None:
  try:
    from clu import periodic_actions  # Seconds: it brings TensorFlow along.
  except ImportError:
    return None
  return periodic_actions

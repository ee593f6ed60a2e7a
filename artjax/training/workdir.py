"""The folder of a run, used by one run at a time with one configuration."""

from collections.abc import Iterator
import contextlib
import fcntl
import json
import os
import socket
from typing import Any

from absl import logging
import ml_collections

from artjax import atomic_files
from artjax.data import sources

PICTURES = 'pictures.json'


def make(workdir: str) -> None:
  """Makes the folder if it is missing.

  Raises:
    ValueError: it cannot be made or written to.
  """
  try:
    os.makedirs(workdir, exist_ok=True)
    if not os.access(workdir, os.W_OK):
      raise PermissionError(13, 'Permission denied')
  except OSError as error:
    raise ValueError(
      f'--workdir={workdir} cannot be used: {error.strerror}'
    ) from error


@contextlib.contextmanager
def writing(workdir: str) -> Iterator[None]:
  """Context for writing files there; turns errors into one line.

  Raises:
    ValueError: naming the folder and the reason.
  """
  try:
    yield
  except OSError as error:
    raise ValueError(
      f'--workdir={workdir} cannot be written: {error.strerror or error}'
    ) from error


@contextlib.contextmanager
def lock(workdir: str) -> Iterator[None]:
  """Context in which no other run may use the folder.

  The lock ends with the process that holds it, however that ends.

  Raises:
    ValueError: another process holds it, and the message names its host and
      number; or it cannot be written.
  """
  with contextlib.ExitStack() as held:
    with writing(workdir):
      # Unbuffered: what a full disk does not take fails once, not at the end.
      file = held.enter_context(
        open(os.path.join(workdir, 'lock'), 'a+b', buffering=0)
      )
      try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
      except BlockingIOError as error:
        file.seek(0)
        holder = file.read().decode().strip()
        raise ValueError(
          f'--workdir={workdir} is in use by another run ({holder}): wait for '
          'its end, or use another folder'
        ) from error
      file.truncate(0)
      file.write(f'host {socket.gethostname()}, process {os.getpid()}'.encode())
    yield


def check_same_model(config: ml_collections.ConfigDict, workdir: str) -> None:
  """Refuses to resume in a workdir with another task's weights.

  Raises:
    ValueError: its config.json has another task or model, or cannot be read.
  """
  theirs = _read(workdir)
  for field in ('task', 'model') if theirs else ():
    if _as_json(config)[field] != theirs[field]:
      raise ValueError(
        f'{workdir} was made with another {field}: use another --workdir, '
        f'or the config it was made with ({_path(workdir)})'
      )


def write_config(
  config: ml_collections.ConfigDict, workdir: str, step: int
) -> list[str]:
  """Writes config.json; logs the changes of an earlier one, and keeps it.

  Args:
    config: of the run.
    workdir: its folder.
    step: number of steps so far; an earlier config.json becomes
      config.until-<step>.json if it differs.

  Returns:
    The changed fields, as 'field: old -> new'.
  """
  theirs, ours = _flat(_read(workdir)), _flat(_as_json(config))
  changes = [
    f'{field}: {theirs[field]!r} -> {value!r}'
    for field, value in ours.items()
    if field in theirs and theirs[field] != value
  ]
  if changes and step:
    kept = os.path.join(workdir, f'config.until-{step}.json')
    os.replace(_path(workdir), kept)
    logging.warning(
      'Step %d goes on with another configuration than before (%s):\n  %s',
      step,
      kept,
      '\n  '.join(changes),
    )
    for field, what in _CONSEQUENCES.items():
      if any(change.startswith(f'{field}:') for change in changes):
        logging.warning('%s', what)
  atomic_files.write_text(_path(workdir), config.to_json(indent=2))
  return changes


_CONSEQUENCES = {
  'batch_size': 'The data goes on at example step x batch_size: with another '
  'batch_size some pictures come again, or later than they would have.',
  'steps': 'The learning rate follows a schedule for the new number of steps: '
  'this is not the run that would have been planned so, except with a '
  'constant optimizer.schedule, or before the decay of wsd.',
}


def write_pictures(config: ml_collections.ConfigDict, workdir: str) -> None:
  """Writes pictures.json: the licences of what is learned from, if known."""
  found = sources.provenance_of(config.data.source)
  if found:
    text = json.dumps(found, indent=2, ensure_ascii=False)
    atomic_files.write_text(os.path.join(workdir, PICTURES), text + '\n')


def read_pictures(workdir: str) -> dict[str, Any]:
  """What `write_pictures` wrote, {} if nothing."""
  path = os.path.join(workdir, PICTURES)
  if not os.path.exists(path):
    return {}
  with open(path, encoding='utf-8') as file:
    return json.load(file)


def _path(workdir):
  return os.path.join(workdir, 'config.json')


def _read(workdir: str) -> dict[str, Any]:
  """The config.json of the folder, {} if there is none."""
  if not os.path.exists(_path(workdir)):
    return {}
  with open(_path(workdir)) as file:
    try:
      return json.load(file)
    except ValueError as error:
      raise ValueError(
        f'{_path(workdir)} is damaged ({error}): delete it, or use another '
        '--workdir'
      ) from error


def _as_json(config):
  """The configuration in types of JSON, without tuples."""
  return json.loads(config.to_json())


def _flat(tree, prefix=''):
  flat = {}
  for name, value in tree.items():
    if isinstance(value, dict):
      flat |= _flat(value, f'{prefix}{name}.')
    else:
      flat[prefix + name] = value
  return flat

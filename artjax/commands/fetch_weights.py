"""Fetches published weights by name into your own folder of weights.

  artjax fetch-weights
  artjax fetch-weights RealESRGAN_x4plus
  artjax fetch-weights 2xLiveActionV1_SPAN_490000 --accept-licence

Without a name it lists what there is. Files come from where their authors
release them, and stay as they are; --weights takes their names, see `artjax
weights`. A file must have the published sha256. Where none is published, the
first file is trusted and its sha256 remembered: a later one that differs is
refused. Licences that forbid commercial use are to be accepted once each.
"""

import argparse
from collections.abc import Sequence
import json
import os
import shutil
import sys

_LIMIT = 2**30  # bytes of a file whose size is not published
_COLUMNS = ('name', 'network', 'for', 'licence', 'sha256')


def main(argv: Sequence[str] | None = None) -> int:
  """Fetches, prints a JSON line; returns the exit status."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawTextHelpFormatter
  )
  parser.add_argument('name', nargs='?', help='of the table')
  parser.add_argument(
    '--accept-licence',
    action='store_true',
    help='accept the licence of these weights, which forbids commercial use',
  )
  args = parser.parse_args(argv)
  if args.name is None:
    _print_table()
    return 0
  from artjax.restoration.batch import interrupts

  try:
    with interrupts.Interrupts():
      result = _fetch(args.name, args.accept_licence)
  except (ValueError, OSError) as error:
    sys.exit(f'artjax fetch-weights: {error}')
  except KeyboardInterrupt:
    print(
      'artjax fetch-weights: interrupted; nothing was kept', file=sys.stderr
    )
    return 130
  print(json.dumps(result))
  return 0


def _print_table():
  from artjax.interop import releases

  rows = [_COLUMNS] + [
    (
      name,
      release.network,
      release.use,
      release.licence,
      'published' if release.sha256 else 'of the first file',
    )
    for name, release in releases.RELEASES.items()
  ]
  widths = [max(map(len, column)) for column in zip(*rows)]
  for row in rows:
    cells = [cell.ljust(width) for cell, width in zip(row, widths)]
    print('  '.join(cells).rstrip())


def _fetch(name, accept):
  """Puts a file in place, or finds it there; returns its description."""
  try:
    from artjax.data.collections import download
  except ImportError as error:
    raise ValueError(
      f'needs httpx2: pip install "artjax[collect]" ({error})'
    ) from error
  from artjax.data import run_lock
  from artjax.inference import weights
  from artjax.interop import fetched
  from artjax.interop import releases

  release = releases.find(name)
  folder = weights.user_folder()
  refusal = f'{folder}: weights are being fetched into it already'
  with run_lock.held(str(folder), refusal):
    record = fetched.Fetched(folder)
    _check_licence(release, record, accept)
    path, new = folder / release.file, False
    expected = release.sha256 or record.source(release.file).get('sha256', '')
    if path.exists():
      sha256 = _of_existing(path, expected)
    else:
      sha256 = _bring(download.download, release, path, expected, record)
      new = True
  return {
    'output': str(path),
    'new': new,
    'url': release.url,
    'licence': release.licence,
    'sha256': sha256,
  }


def _check_licence(release, record, accept):
  """Shows a licence that forbids commercial use; raises if not accepted."""
  if not release.non_commercial or record.accepts(release.licence):
    return
  print(
    f'{release.name} has the licence {release.licence}, which forbids '
    'commercial use',
    file=sys.stderr,
  )
  if not accept:
    raise ValueError(
      f'{release.name} is fetched once you accept {release.licence} with '
      '--accept-licence'
    )
  record.accept(release.licence)


def _of_existing(path, expected):
  """The sha256 of a file that is there; raises if it is another one."""
  from artjax.interop import safetensors_io

  sha256 = safetensors_io.file_sha256(str(path))
  if sha256 != expected:
    reason = (
      f'has the sha256 {sha256}, not {expected}'
      if expected
      else ('was not fetched by this command')
    )
    raise ValueError(f'{path} is there already and {reason}; move it away')
  return sha256


def _bring(download, release, path, expected, record):
  """Downloads, checks, records and puts in place; returns the sha256."""
  from artjax.interop import published
  from artjax.interop import tensor_files

  print(f'fetching {release.url}', file=sys.stderr)
  place = path.parent / '.fetching'  # what a killed run left in it goes
  shutil.rmtree(place, ignore_errors=True)
  place.mkdir()
  part = place / path.name
  try:
    with _Progress() as progress:
      sha256 = download(
        release.url, part, release.size or _LIMIT, progress.show
      )
    if expected and sha256 != expected:
      raise ValueError(
        f'{release.url} has the sha256 {sha256}, not {expected}: it is not the '
        f'file that was {"published" if release.sha256 else "fetched before"}'
      )
    published.recognise(tensor_files.read(str(part)), release.url)
    if not expected:
      print(f'no sha256 is published; remembered: {sha256}', file=sys.stderr)
    record.add(path.name, release.url, release.licence, sha256)
    os.replace(part, path)
  finally:
    shutil.rmtree(place, ignore_errors=True)
  return sha256


class _Progress:
  """A bar on stderr, if that is a terminal."""

  def __enter__(self):
    import tqdm

    self._bar = tqdm.tqdm(
      unit='B', unit_scale=True, disable=not sys.stderr.isatty()
    )
    return self

  def __exit__(self, *unused):
    self._bar.close()

  def show(self, done, total):
    self._bar.total = total or None
    self._bar.update(done - self._bar.n)

"""The worker process: decodes pictures and runs networks, in limited memory.

  python -m artjax.web.worker --memory=BYTES

Requests are lines of JSON on stdin, answers are lines of JSON on stdout. If a
file crashes a decoder, only this process dies; the server sees the pipe close.
Requests come from a server that has made all the paths itself.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import queue
import re
import resource
import sys
import threading

from artjax import environment

_LOADED: dict = {}  # paths of weights -> chain.Chain, the last used last
_MOST = 8  # chains that are kept: blends are as many as one likes
_COMPILED: set = set()  # shapes of tiles that they have run on


class Cancelled(Exception):
  """The user has cancelled the request."""


def main():
  """Answers requests until stdin closes."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument(
    '--memory',
    type=int,
    required=True,
    metavar='BYTES',
    help='more than this, beyond the start, is refused',
  )
  args = parser.parse_args()
  environment.set_defaults()  # before libvips and JAX start
  # Only answers on stdout: what a library prints goes to stderr.
  answers = os.fdopen(os.dup(1), 'w', buffering=1)
  os.dup2(2, 1)
  say = lambda **answer: answers.write(json.dumps(answer) + '\n')
  requests, cancelled = queue.SimpleQueue(), set()
  threading.Thread(
    target=_listen, args=(requests, cancelled), daemon=True
  ).start()
  import pyvips

  from artjax.image_io import previews  # noqa: F401, before memory is limited

  # Files come and go here; nothing of them is to stay.
  pyvips.cache_set_max(0)
  limited = False
  while True:
    request = requests.get()
    if request['op'] in ('run', 'warm', 'weights'):
      import jax

      from artjax.restoration import restore_file as restoration  # noqa: F401

      jax.devices()
    if not limited:
      limit_memory(args.memory)
      limited = True
    stop = lambda id=request['id']: id in cancelled
    say(id=request['id'], **answer(request, say, stop))


def _listen(requests, cancelled):
  """Reads requests as they arrive, so that a cancellation need not wait."""
  for line in sys.stdin:
    request = json.loads(line)
    if request['op'] == 'cancel':
      cancelled.add(request['id'])
    else:
      requests.put(request)
  os._exit(0)  # The server is gone; it clears up.


def limit_memory(more):
  """Limits this process to so many bytes beyond its present memory."""
  status = pathlib.Path('/proc/self/status')
  if not status.exists():
    print('artjax: no memory limit on this system', file=sys.stderr)
    return
  have = next(
    int(line.split()[1])
    for line in status.read_text().splitlines()
    if line.startswith('VmData')
  )
  # Of data, not of addresses: files in memory and what JAX reserves are free.
  limit = have * 1024 + more
  resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def answer(request, say, stop):
  """The last answer to a request; every failure is one line for the user."""
  from artjax.image_io import reader

  try:
    return {'event': 'done', **_OPERATIONS[request['op']](request, say, stop)}
  except Cancelled:
    return {'event': 'cancelled'}
  except MemoryError:
    return {'event': 'failed', 'reason': 'it takes more memory than is allowed'}
  except reader.BadPicture as error:
    return {'event': 'failed', 'reason': plain(error, request)}
  except (ValueError, OSError) as error:
    return {'event': 'failed', 'reason': plain(error, request)}
  except Exception as error:  # pylint: disable=broad-except
    # A library's own: its first line says the most.
    reason = plain(error, request).split('. ')[0]
    print(f'{request["op"]}: {type(error).__name__}: {error}', file=sys.stderr)
    if type(error).__name__ == 'OutOfMemory':
      reason = 'it takes more memory than is allowed, even in small tiles'
    return {'event': 'failed', 'reason': reason[:300]}


def plain(error, request):
  """An error in one line, with the user's name for the file, not a path."""
  text = ' '.join(str(error).split()) or type(error).__name__
  if 'path' not in request:
    return text
  for path in request.get('weights', []):
    text = text.replace(path, named(path))
  for brought in ('mask', 'hints'):
    if request.get(brought):
      text = text.replace(request[brought], request[f'{brought}_name'])
  # All paths, for libvips may still speak of the file before this one.
  root = os.path.dirname(os.path.dirname(request['path']))
  return re.sub(
    re.escape(root) + r'[^\s:)]*', lambda match: request['name'], text
  )


def named(text):
  """Weights without folders and suffixes: 'esrgan_psnr:0.3+esrgan:0.7'."""
  if os.path.exists(text):
    return pathlib.Path(text).stem
  return re.sub(
    r'(^|\+)/.*?([^/]+)\.(?:safetensors|pth|pt|ckpt|npz)(?=:)', r'\1\2', text
  )


def open_picture(request, say, stop):
  """Reads a file's header, checks it, and makes the tiles of its view."""
  del say, stop
  from artjax.image_io import previews
  from artjax.image_io import reader

  with reader.open_picture(
    request['path'], max_pixels=request['max_pixels']
  ) as picture:
    _check_side(picture, request['max_side'])
    previews.save_tiles(picture, request['tiles'])
    info = {
      'width': picture.width,
      'height': picture.height,
      'drawing': previews.drawing(picture.width, picture.height),
      'bits': picture.depth,
      'format': picture.kind,
      'channels': {1: 'grey', 3: 'RGB', 4: 'CMYK'}[picture.bands]
      + (' + alpha' if picture.has_alpha else '')
      + (f' + {len(picture.extras)} more' if picture.extras else ''),
      'notices': picture.notices,
    }
  for path, tiles in request.get('maps', []):
    previews.save_overlay(path, tiles)
  return {'info': info}


def check_mask(request, say, stop):
  """Checks whether a file is a mask for a picture of a size."""
  del say, stop
  from artjax.image_io import reader
  from artjax.restoration.masks import user_inputs

  with reader.open_picture(
    request['path'], max_pixels=request['max_pixels']
  ) as mask:
    _check_side(mask, request['max_side'])
  user_inputs.load_mask(
    request['path'], request['height'], request['width'], request['threshold']
  )
  return {}


def check_hints(request, say, stop):
  """Says whether a file tells colours for a picture of a size."""
  del say, stop
  from artjax.image_io import reader
  from artjax.restoration.masks import user_inputs

  with reader.open_picture(
    request['path'], max_pixels=request['max_pixels']
  ) as hints:
    _check_side(hints, request['max_side'])
  user_inputs.load_hints(request['path'], request['height'], request['width'])
  return {}


def _check_side(picture, limit):
  if max(picture.width, picture.height) > limit:
    raise ValueError(
      f'{picture.path}: {picture.width} × {picture.height} px: a side is '
      f'longer than the limit of {limit} px'
    )


def weights(request, say, stop):
  """Says what published weights are: {path: config and source}, None = unknown.

  Only their tensors tell, so all of a file is read.
  """
  del say, stop
  from artjax.interop import fetched
  from artjax.interop import published

  found = {}
  for path in request['files']:
    try:
      config, _ = published.load(path)
    except (ValueError, OSError):
      found[path] = None  # `artjax weights` says what is wrong.
      continue
    folder, name = os.path.split(path)
    source = dict(fetched.Fetched(folder).source(name))
    found[path] = {'config': config.to_dict(), 'source': source}
  return {'found': found}


def warm(request, say, stop):
  """Loads the weights of a chain before a user waits for them.

  With a picture's size and the number of a stage it also compiles that stage's
  network for it, by a run on one tile of an empty picture.
  """
  del say, stop
  chain = _chain(request['weights'])
  if 'stage' not in request:
    return {'stages': len(chain.stages)}
  shape = _shapes(request, chain)[request['stage']]
  if shape not in _COMPILED:
    sizes = chain.sizes(request['height'], request['width'])
    _run_once(chain.restorers[request['stage']], *sizes[request['stage']])
    _COMPILED.add(shape)
  return {}


def _run_once(restorer, height, width):
  """Runs a network on the first tile of an empty picture."""
  import numpy as np

  from artjax.inference.passes import coarse as coarse_pass

  class Enough(Exception):
    """The first tile is done."""

  def on_tiles(done):
    if done:
      raise Enough

  settings = {'on_tiles': on_tiles}
  if restorer.fills:
    settings['hole'] = np.zeros([height, width], bool)
    settings['hole'][:9, :9] = True
  small = coarse_pass.shrunk(height, width, restorer.view)
  with contextlib.suppress(Enough):
    for _ in restorer.strips(
      lambda top, left, *size: np.zeros([*size, 3], np.float32),
      height,
      width,
      np.zeros([*small, 3], np.float32),
      **settings,
    ):
      pass


def run(request, say, stop):
  """Restores a picture file; progress by tiles."""
  from artjax.image_io import previews
  from artjax.restoration import options as options_lib
  from artjax.restoration import restore_file

  chosen = {name: str(value) for name, value in request['options'].items()}
  options = dataclasses.replace(
    options_lib.from_query(chosen), max_pixels=request['max_pixels']
  )
  key = request['id']
  chain = _chain(request['weights'])
  shapes = _shapes(request, chain)
  say(id=key, event='preparing', cold=not _COMPILED.issuperset(shapes))
  told = 0

  def on_tiles(done, total):
    nonlocal told
    if stop():
      raise Cancelled()
    if done > told:  # and not another view of the same tile
      told = done
      say(id=key, event='progress', done=done, total=total)

  if stop():
    raise Cancelled()
  size = request['height'] * request['width'] * chain.scale**2
  if size > request['max_pixels']:
    raise ValueError(
      f'the result would have {size} px, more than the limit '
      f'of {request["max_pixels"]} px'
    )
  record = restore_file.restore_file(
    request['path'],
    chain,
    restore_file.Outputs(
      request['output'],
      request['change'],
      request['uncertainty'],
      mask=request['hole'],
      damage_map=request['damage'],
    ),
    options,
    request['mask'],
    request['hints'],
    on_tiles=on_tiles,
  )
  if request['damage']:
    previews.save_damage(request['damage'], request['damage_view'])
  _COMPILED.update(shapes)
  # Of the person's files, not of where they lay in between.
  record |= {
    'source': request['name'],
    'output': request['output_name'],
    'steps': request['steps'],
    'notices': [plain(text, request) for text in record['notices']],
  }
  if not request['output']:
    del record['output'], record['output_sha256']
  if request['hints']:
    record['hints'] = request['hints_name']
  for entry in record['weights']:
    entry['name'] = named(entry['name'])
  if 'engines' in record:
    engines = record['engines']
    record['engines'] = {named(path): engines[path] for path in engines}
  return {'record': record}


def _shapes(request, chain):
  """[(weights, shape of tiles)] of the stages; each new one is compiled."""
  sizes = chain.sizes(request['height'], request['width'])
  return [
    (path, restorer.grid(*size).tile())
    for path, restorer, size in zip(request['weights'], chain.restorers, sizes)
  ]


def _chain(paths):
  from artjax.restoration import chain

  key = tuple(paths)
  _LOADED[key] = _LOADED.pop(key, None) or chain.Chain(paths)
  while len(_LOADED) > _MOST:
    _LOADED.pop(next(iter(_LOADED)))
    used = {path for paths in _LOADED for path in paths}
    _COMPILED.intersection_update({c for c in _COMPILED if c[0] in used})
  return _LOADED[key]


_OPERATIONS = {
  'open': open_picture,
  'mask': check_mask,
  'hints': check_hints,
  'weights': weights,
  'warm': warm,
  'run': run,
}

if __name__ == '__main__':
  main()

"""Uploads to disk, with checks, and file downloads.

Uploads are raw request bodies, counted while they stream. The format is
determined from the content.
"""

import asyncio
import contextlib
import os
from typing import NoReturn
import urllib.parse

import fastapi
from fastapi import responses
from starlette import requests as starlette_requests

from artjax.image_io import formats
from artjax.web.server import messages
from artjax.web.server import store as store_lib

# Formats that the page takes, and names of such files.
_SUFFIXES = {
  'JPEG': ('.jpg', '.jpeg', '.jpe', '.jfif'),
  'PNG': ('.png',),
  'TIFF': ('.tif', '.tiff'),
  'WebP': ('.webp',),
  'HEIF': ('.avif', '.heic', '.heif'),
}
TYPES = {
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
}
_IDLE = 30  # s in which an upload must go on


def fail(status: int, reason: str) -> NoReturn:
  """Ends a request with one line for the user."""
  raise fastapi.HTTPException(status, reason)


async def receive(
  request: fastapi.Request, session: store_lib.Session, name: str
) -> store_lib.Entry:
  """Streams a picture to disk and checks it: a new entry of the session."""
  state = request.app.state
  async with _upload(request, session, name) as entry:
    _refuse(entry, await state.queue.open(entry))
    state.store.keep(session, entry)
    return entry


async def receive_mask(
  request: fastapi.Request,
  session: store_lib.Session,
  name: str,
  picture: store_lib.Entry,
  threshold: float,
) -> store_lib.Entry | None:
  """Streams a mask to disk and checks it; it belongs to no session.

  Args:
    request: whose body is the mask.
    session: of the request.
    name: of the file.
    picture: the picture that the mask is for.
    threshold: level from which grey counts as white, in [0, 1].

  Returns:
    The new entry; None if there is no body.
  """
  headers, queue = request.headers, request.app.state.queue
  if headers.get('content-length', '0') == '0' and (
    'transfer-encoding' not in headers
  ):
    return None
  async with _upload(request, session, name or 'mask.png') as entry:
    _refuse(entry, await queue.check_mask(entry, picture, threshold))
    return entry


async def receive_hints(
  request: fastapi.Request,
  session: store_lib.Session,
  name: str,
  picture: store_lib.Entry,
) -> None:
  """Streams hints of the colours of a picture to disk, in place of others."""
  state = request.app.state
  async with _upload(request, session, name or 'hints.png') as entry:
    _refuse(entry, await state.queue.check_hints(entry, picture))
    if picture.id not in session.pictures:  # deleted while they came
      fail(404, messages.Message('gone'))
    if picture.hints:
      state.store.drop(picture.hints)
    picture.hints = entry


def _refuse(entry, reason):
  if reason:
    said = isinstance(reason, messages.Message) or entry.name in reason
    fail(422, reason if said else f'{entry.name}: {reason}')


@contextlib.asynccontextmanager
async def _upload(request, session, name):
  """The body as a file: an entry, dropped if the block raises."""
  state = request.app.state
  limit = state.limits.upload
  length = request.headers.get('content-length', '')
  if length.isdigit() and int(length) > limit:
    _too_large(_mib(int(length)), limit)
  entry = state.store.add('', '')
  session.transfers += 1  # so that it does not expire
  try:
    async with state.uploads:
      suffixes = _SUFFIXES[_kind(await _stream(request, entry, name), name)]
      stem, suffix = store_lib.clean_name(name)
      entry.suffix = suffixes[0]
      entry.name = stem + (
        suffix if suffix.lower() in suffixes else suffixes[0]
      )
      os.rename(entry.path('upload'), entry.path())
      yield entry
  except BaseException as error:
    state.store.drop(entry)
    if isinstance(error, starlette_requests.ClientDisconnect):
      fail(400, messages.Message('interrupted'))
    raise
  finally:
    session.transfers -= 1


async def _stream(request, entry, name):
  """Writes the body to the part 'upload' of an entry; returns its head."""
  state = request.app.state
  limit = state.limits.upload
  head = b''
  stream = request.stream().__aiter__()
  with open(entry.path('upload'), 'wb') as file:
    while True:
      try:
        async with asyncio.timeout(_IDLE):
          chunk = await anext(stream)
      except StopAsyncIteration:
        return head
      except TimeoutError:
        fail(408, messages.Message('stalled', seconds=_IDLE))
      if entry.size + len(chunk) > limit:
        _too_large(f'> {_mib(limit)}', limit)
      state.store.take(len(chunk), entry)
      if len(head) < formats.HEAD:
        head += chunk[: formats.HEAD - len(head)]
        if len(head) == formats.HEAD:
          _kind(head, name)
      file.write(chunk)


def _kind(head, name):
  kind = formats.file_format(head)
  if kind not in _SUFFIXES:
    key = 'no_picture' if head else 'empty'
    name = ''.join(store_lib.clean_name(name))
    fail(415, messages.Message(key, name=name))
  return kind


def _too_large(size, limit):
  fail(413, messages.Message('too_large', size=size, limit=_mib(limit)))


def _mib(count):
  return f'{count / 2**20:.0f} MiB'


def download(entry: store_lib.Entry, part: str) -> responses.FileResponse:
  """A file under its user-visible name, to be saved, never displayed."""
  path = entry.path(part)
  if not os.path.isfile(path):
    fail(404, 'this picture has none: it was uploaded, or made without')
  stem = os.path.splitext(entry.name)[0]
  name = {'picture': entry.name}.get(part, f'{stem}.{part}')
  kind = (
    TYPES[entry.suffix]
    if part == 'picture'
    else 'application/json'
    if part.endswith('.json')
    else 'image/png'
  )
  # The first for what does not know the second, such as curl.
  plain = ''.join(
    c if c.isascii() and c.isalnum() or c in '._-' else '_' for c in name
  )
  return responses.FileResponse(
    path,
    media_type=kind,
    headers={
      'Content-Disposition': f'attachment; filename="{plain}"; '
      f"filename*=UTF-8''"
      f'{urllib.parse.quote(name, safe="")}'
    },
  )

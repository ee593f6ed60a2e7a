"""Routes of pictures: upload, download, maps, tiles."""

import os
from typing import Annotated

import fastapi
from fastapi import concurrency
from fastapi import responses

from artjax.web.server import messages
from artjax.web.server.routes import archive
from artjax.web.server.routes import lookup
from artjax.web.server.routes import openapi
from artjax.web.server.routes import transfer

Name = Annotated[str, fastapi.Query(max_length=300, description='of the file')]
router = fastapi.APIRouter(prefix='/api', responses=openapi.ERRORS)


@router.post('/pictures', status_code=201, openapi_extra=openapi.PICTURE_BODY)
async def post_picture(
  request: fastapi.Request, response: fastapi.Response, name: Name = ''
):
  """Takes a picture file: the body of the request."""
  session = lookup.own_session(request, response)
  entry = await transfer.receive(request, session, name)
  request.app.state.queue.warm(entry)
  return entry.describe()


@router.get('/pictures')
async def get_pictures(request: fastapi.Request, response: fastapi.Response):
  """The pictures of this session, oldest first."""
  session = lookup.reopened_session(request, response)
  return [e.describe() for e in session.pictures.values()] if session else []


@router.get(
  '/results.zip',
  **{
    **openapi.file('application/zip'),
    'response_class': responses.StreamingResponse,
  },
)
async def get_results(request: fastapi.Request):
  """All results of this session, as one zip."""
  session = lookup.known_session(request)
  made = [e for e in session.pictures.values() if e.origin] if session else []
  if not made:
    transfer.fail(404, 'there are no results yet')
  files = [(entry.name, entry.path()) for entry in made]

  async def body():
    session.transfers += 1  # so that it does not expire
    try:
      async for part in concurrency.iterate_in_threadpool(
        archive.stream(files)
      ):
        yield part
    finally:
      session.transfers -= 1

  return responses.StreamingResponse(
    body(),
    media_type='application/zip',
    headers={'Content-Disposition': 'attachment; filename="artjax.zip"'},
  )


@router.get('/pictures/{picture}')
async def get_picture(entry: lookup.Picture):
  """Information on a picture."""
  return entry.describe()


@router.delete('/pictures/{picture}', status_code=204)
async def delete_picture(
  request: fastapi.Request, response: fastapi.Response, entry: lookup.Picture
):
  """Deletes a picture and all its files."""
  session = lookup.own_session(request, response)
  if any(job.source is entry and not job.over for job in session.jobs.values()):
    transfer.fail(409, messages.Message('in_use'))
  request.app.state.store.drop(entry, session)


@router.put(
  '/pictures/{picture}/hints',
  status_code=204,
  openapi_extra=openapi.PICTURE_BODY,
)
async def put_hints(
  request: fastapi.Request,
  response: fastapi.Response,
  entry: lookup.Picture,
  name: Name = '',
):
  """Takes strokes of the colours that it is to have, for `hints` of a job.

  The body is a picture that is transparent but for them, of the same shape.
  """
  session = lookup.own_session(request, response)
  await transfer.receive_hints(request, session, name, entry)


@router.get('/pictures/{picture}/hints', **openapi.PICTURE)
async def get_hints(entry: lookup.Picture):
  """The hints that were given."""
  if not entry.hints:
    transfer.fail(404, 'no hints of colours were given for this picture')
  return transfer.download(entry.hints, 'picture')


@router.get('/pictures/{picture}/file', **openapi.PICTURE)
async def get_file(entry: lookup.Picture):
  """The file itself, at full bit depth, with its profile and metadata."""
  return transfer.download(entry, 'picture')


@router.get('/pictures/{picture}/report', **openapi.REPORT)
async def get_report(entry: lookup.Picture):
  """The JSON record of how it was made."""
  return transfer.download(entry, 'report.json')


@router.get('/pictures/{picture}/change', **openapi.PNG)
async def get_change(entry: lookup.Picture):
  """The change of each pixel, a grey PNG: a level is 0.05 CIEDE2000."""
  return transfer.download(entry, 'change.png')


@router.get('/pictures/{picture}/uncertainty', **openapi.PNG)
async def get_uncertainty(entry: lookup.Picture):
  """Where 8 flips and rotations disagree, a grey PNG: a level is 0.1/255."""
  return transfer.download(entry, 'uncertainty.png')


@router.get('/pictures/{picture}/mask', **openapi.PNG)
async def get_mask(entry: lookup.Picture):
  """The mask that was filled: a PNG of the picture's size, white = filled."""
  return transfer.download(entry, 'mask.png')


@router.get('/pictures/{picture}/damage', **openapi.PNG)
async def get_damage(entry: lookup.Picture):
  """Probabilities of crack, loss and stain in it: R, G and B of a PNG."""
  return transfer.download(entry, 'damage.png')


@router.get('/pictures/{picture}/damage/view', **openapi.PNG)
async def get_damage_view(entry: lookup.Picture):
  """The same for a screen: each pixel is the largest probability around it."""
  path = entry.path('damage_view.png')
  if not os.path.isfile(path):
    transfer.fail(404, 'this picture has not been searched for damage yet')
  return responses.FileResponse(path, media_type='image/png')


@router.get(
  '/pictures/{picture}/tiles/{layer}/{level}/{column}_{row}.png', **openapi.PNG
)
async def get_tile(
  entry: lookup.Picture,
  layer: str,
  level: Annotated[int, fastapi.Path(ge=0, le=40)],
  column: Annotated[int, fastapi.Path(ge=0, le=9999)],
  row: Annotated[int, fastapi.Path(ge=0, le=9999)],
):
  """A tile of the view of 'picture', 'change' or 'uncertainty', 8-bit sRGB."""
  if layer in ('picture', 'change', 'uncertainty'):
    path = os.path.join(entry.tiles(layer), str(level), f'{column}_{row}.png')
    if os.path.isfile(path):
      return responses.FileResponse(path, media_type='image/png')
  transfer.fail(404, 'there is no such tile')

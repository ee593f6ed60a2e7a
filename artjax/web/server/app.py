"""The web page and its HTTP API.

`create_app` makes the FastAPI application; scripts/serve.py serves it. The
server itself decodes nothing and runs no network: see jobs.py and child.py.
Uploads are raw bodies, so there is no form to parse.
"""

import asyncio
import contextlib
import json
import os
import pathlib
import time
from typing import Annotated

import fastapi
from fastapi import exceptions
from fastapi import responses
from starlette import exceptions as starlette_exceptions

from artjax.web.server import abilities
from artjax.web.server import guard
from artjax.web.server import jobs as jobs_lib
from artjax.web.server import limits as limits_lib
from artjax.web.server import store as store_lib
from artjax.web.server import transfer

STATIC = pathlib.Path(__file__).parent.parent / 'static'
# Only these are served, under these types, whatever else lies there.
FILES = {
  '/': ('index.html', 'text/html; charset=utf-8'),
  '/app.js': ('app.js', 'text/javascript; charset=utf-8'),
  '/view.js': ('view.js', 'text/javascript; charset=utf-8'),
  '/talk.js': ('talk.js', 'text/javascript; charset=utf-8'),
  '/damage.js': ('damage.js', 'text/javascript; charset=utf-8'),
  '/mask.js': ('mask.js', 'text/javascript; charset=utf-8'),
  '/style.css': ('style.css', 'text/css; charset=utf-8'),
  '/icon.svg': ('icon.svg', 'image/svg+xml'),
  '/example.jpg': ('example.jpg', 'image/jpeg'),
}
_COOKIE = 'artjax_session'
_PICTURE_BODY = {
  'requestBody': {
    'content': {
      'application/octet-stream': {
        'schema': {'type': 'string', 'format': 'binary'}
      }
    }
  }
}
_ERRORS = {
  code: {
    'description': text,
    'content': {
      'application/json': {
        'schema': {
          'type': 'object',
          'properties': {'error': {'type': 'string'}},
          'required': ['error'],
        }
      }
    },
  }
  for code, text in {
    400: 'not a request of this API',
    404: 'not there, or not yours',
    408: 'the upload stopped',
    409: 'not now',
    413: 'more bytes than the limit',
    415: 'not a picture',
    422: 'not usable, with the reason',
    429: 'busy; try later',
    507: 'no room on the disk',
  }.items()
}


def _file(*kinds):
  """What the document says of a route that answers with a file."""
  return {
    'response_class': responses.FileResponse,
    'responses': {
      200: {'description': 'the file', 'content': {kind: {} for kind in kinds}}
    },
  }


_PNG = _file('image/png')
_REPORT = _file('application/json')
_PICTURE = _file(*transfer.TYPES.values())


def create_app(
  limits=limits_lib.Limits(),
  weights=abilities.PRETRAINED,
  hosts=('127.0.0.1', 'localhost', '::1'),
  token='',
  warm=False,
):
  """The application.

  Args:
    limits: `Limits`.
    weights: folder of the weights.
    hosts: names under which it is reached.
    token: see `guard.Guard`.
    warm: whether to load networks at the start, before anybody asks.
  """

  @contextlib.asynccontextmanager
  async def lifespan(app):
    store = store_lib.Store(limits)
    find = lambda job: abilities.plan(job.steps, bool(job.mask), weights)
    jobs = jobs_lib.Jobs(store, limits, find)
    app.state.store, app.state.jobs = store, jobs
    app.state.limits, app.state.weights = limits, weights
    app.state.uploads = asyncio.Semaphore(limits.uploads)
    jobs.start()
    warming = (
      asyncio.create_task(
        jobs.hand.ask(
          {
            'op': 'warm',
            'weights': list(abilities.available(weights).values()),
          },
          limits.stall_time,
        )
      )
      if warm
      else None
    )
    yield
    if warming:
      warming.cancel()
      await asyncio.gather(warming, return_exceptions=True)
    await jobs.close()
    store.close()

  app = fastapi.FastAPI(
    title='artjax',
    description=__doc__.splitlines()[0],
    version='1',
    lifespan=lifespan,
    docs_url=None,
    redoc_url=None,  # They load from CDNs.
    openapi_url='/api/openapi.json',
  )
  for path, (name, kind) in FILES.items():
    app.add_api_route(path, _static(name, kind), include_in_schema=False)
  app.include_router(router)
  app.add_exception_handler(starlette_exceptions.HTTPException, _http_error)
  app.add_exception_handler(exceptions.RequestValidationError, _wrong_value)
  app.add_exception_handler(store_lib.Full, _full)
  app.add_exception_handler(jobs_lib.QueueFull, _full)
  app.add_middleware(guard.Guard, hosts=hosts, token=token)
  return app


def _static(name, kind):
  def get():
    return responses.Response((STATIC / name).read_bytes(), media_type=kind)

  return get


# Errors: one line for a person.


def _error(status, reason, headers=None):
  return responses.JSONResponse({'error': reason}, status, headers)


async def _http_error(request, error):
  del request
  return _error(error.status_code, str(error.detail), error.headers)


async def _wrong_value(request, error):
  del request
  first = error.errors()[0]
  name = '.'.join(str(part) for part in first['loc'][1:]) or 'request'
  return _error(422, f'{name}: {first["msg"]}')


async def _full(request, error):
  del request
  if isinstance(error, jobs_lib.QueueFull):
    return _error(429, str(error), {'Retry-After': '20'})
  return _error(507, str(error))


# What requests refer to: always within their own session.


def _session(request):
  """The session of a request, or None."""
  return request.app.state.store.session(request.cookies.get(_COOKIE, ''))


def _own_session(request, response):
  """The session of a request; a new one if it has none."""
  session = _session(request)
  if session is None:
    token, session = request.app.state.store.start_session()
    response.set_cookie(_COOKIE, token, httponly=True, samesite='strict')
  return session


def _picture(request: fastapi.Request, picture: str):
  session = _session(request)
  if session is None or picture not in session.pictures:
    transfer.fail(404, 'there is no such picture, or no longer')
  return session.pictures[picture]


def _job(request: fastapi.Request, job: str):
  session = _session(request)
  if session is None or job not in session.jobs:
    transfer.fail(404, 'there is no such job, or no longer')
  return session.jobs[job]


def _result(job: Annotated[jobs_lib.Job, fastapi.Depends(_job)]):
  if job.result is None:
    transfer.fail(
      409,
      f'the job has no result: it is {job.state}'
      + (f' ({job.reason})' if job.reason else ''),
    )
  return job.result


Entry = Annotated[store_lib.Entry, fastapi.Depends(_picture)]
Job = Annotated[jobs_lib.Job, fastapi.Depends(_job)]
Result = Annotated[store_lib.Entry, fastapi.Depends(_result)]
Name = Annotated[str, fastapi.Query(max_length=300, description='of the file')]
router = fastapi.APIRouter(prefix='/api', responses=_ERRORS)


@router.get('/abilities')
def get_abilities(request: fastapi.Request):
  """What can be done here, what cannot yet, and the limits."""
  state = request.app.state
  return {
    'abilities': abilities.describe(state.weights),
    'limits': {
      'upload': state.limits.upload,
      'pixels': state.limits.pixels,
      'side': state.limits.side,
      'minutes': state.limits.ttl / 60,
    },
  }


@router.post('/pictures', status_code=201, openapi_extra=_PICTURE_BODY)
async def post_picture(
  request: fastapi.Request, response: fastapi.Response, name: Name = ''
):
  """Takes a picture file: the body of the request."""
  session = _own_session(request, response)
  entry = await transfer.receive(request, session, name)
  return entry.describe()


@router.get('/pictures')
def get_pictures(request: fastapi.Request):
  """The pictures of this session, oldest first."""
  session = _session(request)
  return [e.describe() for e in session.pictures.values()] if session else []


@router.get('/pictures/{picture}')
def get_picture(entry: Entry):
  """What is known of a picture."""
  return entry.describe()


@router.delete('/pictures/{picture}', status_code=204)
def delete_picture(request: fastapi.Request, entry: Entry):
  """Deletes a picture and all that belongs to it."""
  session = _session(request)
  if any(job.source is entry and not job.over for job in session.jobs.values()):
    transfer.fail(409, 'a job works on this picture; cancel it first')
  request.app.state.store.drop(entry, session)


@router.get('/pictures/{picture}/file', **_PICTURE)
def get_file(entry: Entry):
  """The file itself: full depth, with its profile and metadata."""
  return transfer.download(entry, 'picture')


@router.get('/pictures/{picture}/report', **_REPORT)
def get_report(entry: Entry):
  """The JSON record of how it was made."""
  return transfer.download(entry, 'report.json')


@router.get('/pictures/{picture}/change', **_PNG)
def get_change(entry: Entry):
  """How far each pixel was moved, a grey PNG: a level is 0.05 CIEDE2000."""
  return transfer.download(entry, 'change.png')


@router.get('/pictures/{picture}/uncertainty', **_PNG)
def get_uncertainty(entry: Entry):
  """Where 8 flips and turns disagree, a grey PNG: a level is 0.1/255."""
  return transfer.download(entry, 'uncertainty.png')


@router.get('/pictures/{picture}/mask', **_PNG)
def get_mask(entry: Entry):
  """What of it was filled, white, a PNG of its size."""
  return transfer.download(entry, 'mask.png')


@router.get('/pictures/{picture}/damage', **_PNG)
def get_damage(entry: Entry):
  """What was found in it: chances of crack, loss, stain as R, G, B of a PNG."""
  return transfer.download(entry, 'damage.png')


@router.get('/pictures/{picture}/damage/view', **_PNG)
def get_damage_view(entry: Entry):
  """The same, small enough for a screen: of each part its largest chance."""
  path = entry.path('damage_view.png')
  if not os.path.isfile(path):
    transfer.fail(404, 'nobody has looked for damage in this picture yet')
  return responses.FileResponse(path, media_type='image/png')


@router.get(
  '/pictures/{picture}/tiles/{layer}/{level}/{column}_{row}.png', **_PNG
)
def get_tile(
  entry: Entry,
  layer: str,
  level: Annotated[int, fastapi.Path(ge=0, le=40)],
  column: Annotated[int, fastapi.Path(ge=0, le=9999)],
  row: Annotated[int, fastapi.Path(ge=0, le=9999)],
):
  """A preview: a part of 'picture', 'change' or 'uncertainty' in 8-bit sRGB."""
  if layer in ('picture', 'change', 'uncertainty'):
    path = os.path.join(entry.tiles(layer), str(level), f'{column}_{row}.png')
    if os.path.isfile(path):
      return responses.FileResponse(path, media_type='image/png')
  transfer.fail(404, 'there is no such part')


@router.post('/jobs', status_code=202, openapi_extra=_PICTURE_BODY)
async def post_job(
  request: fastapi.Request,
  response: fastapi.Response,
  steps: Annotated[
    str,
    fastapi.Query(
      max_length=100, description='what to do, such as restore,upscale'
    ),
  ],
  picture: Annotated[
    str, fastapi.Query(max_length=40, description='id; default: the body')
  ] = '',
  name: Name = '',
  strength: Annotated[
    float,
    fastapi.Query(ge=0, le=1, description='share of the change that is made'),
  ] = 1.0,
  self_ensemble: Annotated[
    bool,
    fastapi.Query(description='mean over 8 flips and turns: 8 times the time'),
  ] = False,
  threshold: Annotated[
    float,
    fastapi.Query(
      gt=0, lt=1, description='of the chance of damage, and of grey masks'
    ),
  ] = 0.5,
  saturation: Annotated[
    float,
    fastapi.Query(ge=0, le=2, description='of what is colorized; 0 = grey'),
  ] = 1.0,
  tied: Annotated[
    bool, fastapi.Query(description='cancel when nobody follows the events')
  ] = False,
):
  """Puts a picture into the queue.

  The body is the picture; or, with `picture`, a mask of what is to be filled,
  white, of any size of the same shape, or nothing.
  """
  state = request.app.state
  steps = steps.split(',')
  _plan(state, steps, bool(picture) and 'fill' in steps)
  state.jobs.check_room()
  state.store.take(0)
  mask = None
  if picture:
    entry = _picture(request, picture)
    session = _session(request)
    mask = await transfer.receive_mask(request, session, name, entry, threshold)
  else:
    session = _own_session(request, response)
    entry = await transfer.receive(request, session, name)
  try:
    _plan(state, steps, bool(mask))
    if entry.id not in session.pictures:  # gone while the mask came
      transfer.fail(404, 'there is no such picture, or no longer')
    options = {'strength': strength, 'self_ensemble': self_ensemble}
    if 'fill' in steps or 'detect' in steps:
      options['threshold'] = threshold
    if 'colorize' in steps:
      options['saturation'] = saturation
    job = jobs_lib.Job(session, entry, steps, options, tied, mask)
    state.jobs.submit(job)
  except Exception:
    if mask:
      state.store.drop(mask)
    raise
  return job.describe()


def _plan(state, steps, mask):
  try:
    abilities.plan(steps, mask, state.weights)
  except ValueError as error:
    transfer.fail(422, f'steps: {error}')


@router.get('/jobs/{job}')
def get_job(job: Job):
  """How far a job is."""
  return job.describe()


@router.get(
  '/jobs/{job}/events',
  **{
    **_file('text/event-stream'),
    'response_class': responses.StreamingResponse,
  },
)
async def get_events(job: Job):
  """The same whenever it changes, as server-sent events, until the end."""

  async def events():
    job.followers += 1
    try:
      while True:
        yield f'data: {json.dumps(job.describe())}\n\n'
        if job.over:
          return
        await job.changed(timeout=10)
        await asyncio.sleep(0.05)  # Many tiles may be done at once.
    finally:
      job.followers -= 1
      job.left = time.monotonic()

  return responses.StreamingResponse(events(), media_type='text/event-stream')


@router.post('/jobs/{job}/cancel')
async def cancel_job(request: fastapi.Request, job: Job):
  """Ends a job within a tile."""
  request.app.state.jobs.cancel(job)
  return job.describe()


@router.get('/jobs/{job}/result', **_PICTURE)
def get_job_result(job: Job, entry: Result):
  """The file that a job has made; of `detect` the map of chances."""
  return transfer.download(entry, 'damage.png' if job.only_finds else 'picture')


@router.get('/jobs/{job}/report', **_REPORT)
def get_job_report(job: Job, entry: Result):
  """The JSON record of a job that is done."""
  return transfer.download(
    entry, 'damage.json' if job.only_finds else 'report.json'
  )


@router.get('/jobs/{job}/mask', **_PNG)
def get_job_mask(entry: Result):
  """What a job has filled, white, a PNG of the picture's size."""
  return transfer.download(entry, 'mask.png')

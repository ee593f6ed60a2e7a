"""The web page and its HTTP API.

`create_app` makes the FastAPI application; scripts/serve.py serves it. The
server itself decodes nothing and runs no network: see job_queue.py and
worker.py. Uploads are raw request bodies, so no form has to be parsed.
"""

import asyncio
from collections.abc import Iterable
import contextlib
import os
import pathlib
from typing import Any

import fastapi
from fastapi import exceptions
from fastapi import responses
from starlette import exceptions as starlette_exceptions

from artjax.restoration import options as options_lib
from artjax.web.server import abilities
from artjax.web.server import guard
from artjax.web.server import job_queue
from artjax.web.server import jobs as jobs_lib
from artjax.web.server import known_weights
from artjax.web.server import limits as limits_lib
from artjax.web.server import messages
from artjax.web.server import metrics
from artjax.web.server import store as store_lib
from artjax.web.server import strings
from artjax.web.server.routes import jobs as job_routes
from artjax.web.server.routes import lookup
from artjax.web.server.routes import openapi
from artjax.web.server.routes import pictures as picture_routes

STATIC = pathlib.Path(__file__).parent.parent / 'static'
# Only these are served, under these types, whatever else lies there.
_SCRIPTS = (
  'app',
  'colours',
  'damage',
  'draw',
  'files',
  'gestures',
  'hints',
  'keep',
  'mask',
  'options',
  'report',
  'result',
  'sheet_file',
  'steps',
  'stroke',
  'talk',
  'text',
  'tiles',
  'tools',
  'tray',
  'view',
  'weights',
  'work',
)
FILES = {
  '/': ('index.html', 'text/html; charset=utf-8'),
  **{
    f'/{name}.js': (f'{name}.js', 'text/javascript; charset=utf-8')
    for name in _SCRIPTS
  },
  '/report': ('report.html', 'text/html; charset=utf-8'),
  '/report.css': ('report.css', 'text/css; charset=utf-8'),
  '/style.css': ('style.css', 'text/css; charset=utf-8'),
  '/icon.svg': ('icon.svg', 'image/svg+xml'),
  '/example.jpg': ('example.jpg', 'image/jpeg'),
}
router = fastapi.APIRouter(prefix='/api', responses=openapi.ERRORS)


def create_app(
  limits: limits_lib.Limits = limits_lib.Limits(),
  weights: str | os.PathLike = abilities.PRETRAINED,
  hosts: Iterable[str] = ('127.0.0.1', 'localhost', '::1'),
  token: str = '',
  warm: bool = False,
  own_weights: str | os.PathLike = '',
) -> fastapi.FastAPI:
  """The application.

  Args:
    limits: `Limits`.
    weights: folder of the weights.
    hosts: names under which it is reached.
    token: see `guard.Guard`.
    warm: whether to load the usual networks at the start, and to compile them
      for each uploaded picture before a job needs them.
    own_weights: folder of more weights to choose from; '' = none.
  """
  folders = [weights, *([own_weights] if own_weights else [])]

  @contextlib.asynccontextmanager
  async def lifespan(app):
    store = store_lib.Store(limits)
    known = known_weights.KnownWeights(folders, limits, store.scratch)
    find = lambda job: abilities.plan(
      job.steps, bool(job.mask), weights, known.choices(), job.weights
    )
    usual = lambda: abilities.usual_plan(weights) if warm else []
    queue = job_queue.JobQueue(store, limits, find, usual)
    app.state.store, app.state.queue = store, queue
    app.state.limits, app.state.weights = limits, weights
    app.state.known = known
    app.state.uploads = asyncio.Semaphore(limits.uploads)
    queue.start()
    queue.warm()
    reading = asyncio.create_task(known.refresh())
    yield
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await known.close()
    await queue.close()
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
  for language in strings.LANGUAGES:
    app.add_api_route(
      f'/strings/{language}.json', _strings(language), include_in_schema=False
    )
  for routes in (
    router,
    picture_routes.router,
    job_routes.router,
    metrics.router,
  ):
    app.include_router(routes)
  app.add_exception_handler(starlette_exceptions.HTTPException, _http_error)
  app.add_exception_handler(exceptions.RequestValidationError, _wrong_value)
  app.add_exception_handler(store_lib.Full, _full)
  app.add_exception_handler(job_queue.QueueFull, _full)
  app.add_middleware(guard.Guard, hosts=hosts, token=token)
  return app


def _static(name, kind):
  async def get():
    return responses.Response((STATIC / name).read_bytes(), media_type=kind)

  return get


def _strings(language):
  async def get():
    return responses.JSONResponse(strings.table(language))

  return get


# Errors: one line for a person.


def _error(request, status, reason, headers=None):
  content: dict[str, Any] = {'error': str(reason)}
  if message := messages.describe(reason):
    content['message'] = message
  response = responses.JSONResponse(content, status, headers)
  lookup.tell_session(request, response)
  return response


async def _http_error(request, error):
  return _error(request, error.status_code, error.detail, error.headers)


async def _wrong_value(request, error):
  first = error.errors()[0]
  name = '.'.join(str(part) for part in first['loc'][1:]) or 'request'
  if first['type'] == 'extra_forbidden':
    known = ', '.join(job_routes.JobQuery.model_fields)
    reason = f'{name}: there is no such parameter; there are {known}'
  else:
    reason = f'{name}: {first["msg"]}'
  return _error(request, 422, reason)


async def _full(request, error):
  if isinstance(error, job_queue.QueueFull):
    return _error(request, 429, error.args[0], {'Retry-After': '20'})
  return _error(request, 507, error.args[0])


@router.get('/abilities')
async def get_abilities(request: fastapi.Request):
  """The available and unavailable steps, presets, options, and limits."""
  state = request.app.state
  await state.known.refresh()
  return {
    'abilities': abilities.describe(state.weights, state.known.choices()),
    'presets': abilities.describe_presets(state.weights),
    'options': options_lib.describe(),
    'formats': list(jobs_lib.FORMATS),
    # Of damage that is found: what is too small, and what is added, px.
    'found': {
      'threshold': options_lib.Options().mask_threshold,
      'min_area': options_lib.Options().mask_min_area,
      'dilate': options_lib.Options().mask_dilate,
    },
    'limits': {
      'upload': state.limits.upload,
      'pixels': state.limits.pixels,
      'side': state.limits.side,
      'minutes': state.limits.ttl / 60,
    },
  }

"""Routes of jobs: start, follow, cancel, and download results."""

import asyncio
import json
import time
from typing import Annotated, Any, Literal

import fastapi
from fastapi import responses
import pydantic

from artjax.restoration import options as options_lib
from artjax.web.server import abilities
from artjax.web.server import choices
from artjax.web.server import jobs as jobs_lib
from artjax.web.server import messages
from artjax.web.server.routes import lookup
from artjax.web.server.routes import openapi
from artjax.web.server.routes import transfer

_TYPES = {'float': float, 'int': int, 'bool': bool, 'str': str}
router = fastapi.APIRouter(prefix='/api', responses=openapi.ERRORS)


def _query_model() -> Any:
  """The query of a new job: its own parameters, and the declared options."""
  field = pydantic.Field
  fields: dict[str, Any] = {
    'steps': (
      str,
      field(max_length=100, description='what to do, such as restore,upscale'),
    ),
    'picture': (
      str,
      field('', max_length=40, description='id; default: the body'),
    ),
    'name': (str, field('', max_length=300, description='of the file')),
    'hints': (
      bool,
      field(False, description='colorize by the hints of the picture'),
    ),
    'weights': (
      str,
      field(
        '',
        max_length=300,
        description='other than the usual: a name or a:0.3+b:0.7 a step',
      ),
    ),
    'format': (
      Literal[tuple(jobs_lib.FORMATS)],
      field('', description='of the result; default: one that loses nothing'),
    ),
    'tied': (
      bool,
      field(False, description='cancel when nobody follows the events'),
    ),
  }
  for option in options_lib.describe():
    least, most = ('gt', 'lt') if option['exclusive'] else ('ge', 'le')
    limits = {least: option['least'], most: option['most']}
    fields[option['name']] = (
      Literal[tuple(option['choices'])]
      if option['choices'] and not option['several']
      else _TYPES[option['type']],
      field(
        option['default'],
        description=option['help'],
        **{key: value for key, value in limits.items() if value is not None},
      ),
    )
  return pydantic.create_model(
    'JobQuery', __config__=pydantic.ConfigDict(extra='forbid'), **fields
  )


JobQuery: Any = _query_model()


@router.post('/jobs', status_code=202, openapi_extra=openapi.PICTURE_BODY)
async def post_job(
  request: fastapi.Request,
  response: fastapi.Response,
  query: Annotated[JobQuery, fastapi.Query()],
):
  """Puts a picture into the queue.

  The body is the picture. With `picture`, it is empty or a mask: white where to
  fill, of any size with the same aspect ratio.
  """
  state = request.app.state
  steps = query.steps.split(',')
  _plan(state, steps, bool(query.picture) and 'fill' in steps, query.weights)
  options = _options(query, steps)
  state.queue.check_room()
  state.store.take(0)
  mask = None
  if query.picture:
    entry = await lookup.picture(request, query.picture)
    session = lookup.own_session(request, response)
    mask = await transfer.receive_mask(
      request, session, query.name, entry, query.threshold
    )
  else:
    session = lookup.own_session(request, response)
    entry = await transfer.receive(request, session, query.name)
  hints = None
  try:
    _plan(state, steps, bool(mask), query.weights)
    if query.hints:
      _check_hints(steps, entry)
    if entry.id not in session.pictures:  # deleted while the mask came
      transfer.fail(404, messages.Message('gone'))
    hints = state.store.copy(entry.hints) if query.hints else None
    job = jobs_lib.Job(
      session,
      entry,
      steps,
      options,
      query.tied,
      mask,
      query.format,
      hints,
      query.weights,
    )
    state.queue.submit(job)
  except Exception:
    for made in (mask, hints):
      if made:
        state.store.drop(made)
    raise
  return job.describe()


def _plan(state, steps, mask, weights):
  known = state.known.choices()
  try:
    choices.chosen(weights, known)
  except ValueError as error:
    transfer.fail(422, f'weights: {error}')
  try:
    abilities.plan(steps, mask, state.weights, known, weights)
  except ValueError as error:
    transfer.fail(422, f'steps: {error}')


def _check_hints(steps, entry):
  if 'colorize' not in steps:
    transfer.fail(422, f'hints: {",".join(steps)} does not colorize')
  if not entry.hints:
    transfer.fail(
      422, f'hints: none were given; PUT them to /pictures/{entry.id}/hints'
    )


def _options(query, steps):
  """{name: value} of the options that these steps use.

  An option that none of them uses is refused unless it has its default.
  """
  stages, found = abilities.stages(steps), {}
  for option in options_lib.describe():
    name, value = option['name'], getattr(query, option['name'])
    if not option['stages'] or stages & set(option['stages']):
      found[name] = value
    elif value != option['default']:
      transfer.fail(422, f'{name}: {",".join(steps)} does not use it')
  try:
    options_lib.from_query({name: str(value) for name, value in found.items()})
  except ValueError as error:
    transfer.fail(422, str(error))
  return found


@router.get('/jobs/{job}')
async def get_job(job: lookup.Job):
  """The progress of a job."""
  return job.describe()


@router.get(
  '/jobs/{job}/events',
  **{
    **openapi.file('text/event-stream'),
    'response_class': responses.StreamingResponse,
  },
)
async def get_events(job: lookup.Job):
  """The progress of a job as server-sent events, until the end."""

  async def events():
    job.followers += 1
    try:
      while True:
        # Much may happen until what is told has been sent.
        over, updates = job.over, job.updates
        yield f'data: {json.dumps(job.describe())}\n\n'
        if over:
          return
        if job.updates == updates:
          await job.changed(timeout=10)
        await asyncio.sleep(0.05)  # Many tiles may be done at once.
    finally:
      job.followers -= 1
      job.left = time.monotonic()

  return responses.StreamingResponse(events(), media_type='text/event-stream')


@router.post('/jobs/{job}/cancel')
async def cancel_job(request: fastapi.Request, job: lookup.Job):
  """Ends a job within a tile."""
  request.app.state.queue.cancel(job)
  return job.describe()


@router.get('/jobs/{job}/result', **openapi.PICTURE)
async def get_job_result(job: lookup.Job, entry: lookup.Result):
  """The file that a job has made; for `detect`, the damage probabilities."""
  return transfer.download(entry, 'damage.png' if job.only_finds else 'picture')


@router.get('/jobs/{job}/report', **openapi.REPORT)
async def get_job_report(job: lookup.Job, entry: lookup.Result):
  """The JSON record of a job that is done."""
  return transfer.download(
    entry, 'damage.json' if job.only_finds else 'report.json'
  )


@router.get('/jobs/{job}/mask', **openapi.PNG)
async def get_job_mask(entry: lookup.Result):
  """The mask that a job has filled: a PNG, white = filled."""
  return transfer.download(entry, 'mask.png')

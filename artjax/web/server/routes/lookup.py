"""Finds the objects that a request refers to, within its own session.

All functions here are coroutines, and so are all routes: session data is read
and changed only in the thread of the event loop, so nothing changes while it is
read.
"""

from typing import Annotated

import fastapi

from artjax.web.server import guard
from artjax.web.server import jobs
from artjax.web.server import messages
from artjax.web.server import store
from artjax.web.server.routes import transfer

_COOKIE = 'artjax_session'
# s that a browser keeps it, so that it can be closed in between; how long the
# session itself lasts is the store's affair.
_COOKIE_LIFE = 24 * 3600


def known_session(request: fastapi.Request) -> store.Session | None:
  """The session of a request, or None."""
  return request.app.state.store.session(
    request.cookies.get(_cookie_name(request), '')
  )


def own_session(
  request: fastapi.Request, response: fastapi.Response
) -> store.Session:
  """The session of a request; a new one if it has none.

  Raises:
    store.Full: there are as many sessions as the limit allows.
  """
  found = known_session(request)
  if found is None:
    token, found = request.app.state.store.start_session()
    request.state.new_session = token
    _set_cookie(request, response, token)
  return found


def tell_session(request: fastapi.Request, response: fastapi.Response) -> None:
  """Sets the cookie of a new session in another response: that of an error.

  Without it each refused upload of a browser would begin a further session.
  """
  token = getattr(request.state, 'new_session', '')
  if token:
    _set_cookie(request, response, token)


def reopened_session(
  request: fastapi.Request, response: fastapi.Response
) -> store.Session | None:
  """As `known_session`, for a page that is opened: it keeps its cookie."""
  found = known_session(request)
  if found:
    _set_cookie(request, response, request.cookies[_cookie_name(request)])
  return found


def _set_cookie(request, response, token):
  response.set_cookie(
    _cookie_name(request), token, _COOKIE_LIFE, httponly=True, samesite='strict'
  )


def _cookie_name(request):
  return guard.cookie_name(_COOKIE, request.headers['host'])


async def picture(request: fastapi.Request, picture: str) -> store.Entry:
  """The picture of an id; 404 unless this session has it."""
  found = known_session(request)
  if found is None or picture not in found.pictures:
    transfer.fail(404, messages.Message('gone'))
  return found.pictures[picture]


async def job(request: fastapi.Request, job: str) -> jobs.Job:
  """The job of an id; 404 unless this session has it."""
  found = known_session(request)
  if found is None or job not in found.jobs:
    transfer.fail(404, messages.Message('job_gone'))
  return found.jobs[job]


async def result(job: Annotated[jobs.Job, fastapi.Depends(job)]) -> store.Entry:
  """The result of the job of an id; 409 unless it has one."""
  if job.result is None:
    transfer.fail(
      409,
      f'the job has no result: it is {job.state}'
      + (f' ({job.reason})' if job.reason else ''),
    )
  return job.result


Picture = Annotated[store.Entry, fastapi.Depends(picture)]
Job = Annotated[jobs.Job, fastapi.Depends(job)]
Result = Annotated[store.Entry, fastapi.Depends(result)]

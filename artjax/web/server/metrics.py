"""Figures of the running server in the format of Prometheus: /metrics.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import os
import pathlib

import fastapi
from fastapi import responses

router = fastapi.APIRouter(include_in_schema=False)
_STATES = ('done', 'failed', 'cancelled')


@router.get('/metrics', response_class=responses.PlainTextResponse)
async def get_metrics(request: fastapi.Request):
  """Jobs, seconds, queue, sessions, disk, memory."""
  queue, store = request.app.state.queue, request.app.state.store
  pids = {
    'server': os.getpid(),
    'decoder': queue.decoder.pid,
    'runner': queue.runner.pid,
  }
  memory = {name: _resident(pid) for name, pid in pids.items() if pid}
  lines = [
    *_metric(
      'jobs_total',
      'counter',
      'Jobs that have ended.',
      {f'{{state="{state}"}}': queue.counts[state] for state in _STATES},
    ),
    *_metric(
      'job_seconds_total',
      'counter',
      'Time that jobs have run.',
      {'': round(queue.seconds, 3)},
    ),
    *_metric('jobs_running', 'gauge', 'Jobs that run.', {'': queue.running}),
    *_metric('jobs_waiting', 'gauge', 'Jobs that wait.', {'': queue.length}),
    *_metric('sessions', 'gauge', 'Sessions.', {'': store.sessions}),
    *_metric('stored_bytes', 'gauge', 'Files on disk.', {'': store.used}),
    *_metric(
      'resident_memory_bytes',
      'gauge',
      'Memory of each process.',
      {f'{{process="{name}"}}': size for name, size in memory.items() if size},
    ),
  ]
  return responses.PlainTextResponse(
    '\n'.join(lines) + '\n', media_type='text/plain; version=0.0.4'
  )


def _metric(name, kind, text, values):
  """Its lines; values: {labels: number}."""
  return [
    f'# HELP artjax_{name} {text}',
    f'# TYPE artjax_{name} {kind}',
    *(f'artjax_{name}{labels} {value}' for labels, value in values.items()),
  ]


def _resident(pid):
  """Resident memory of a process, bytes; 0 if it is unknown."""
  try:
    pages = int(pathlib.Path(f'/proc/{pid}/statm').read_text().split()[1])
  except OSError:
    return 0
  return pages * os.sysconf('SC_PAGE_SIZE')

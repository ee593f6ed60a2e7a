"""The web page under damaged uploads and nonsense, and what it leaves behind.

  python tests/fuzz_web.py --count=1000

Damaged picture files go to a server of its own, and between them requests
drawn from its OpenAPI document: every path and method with values that fit,
do not fit, or are hostile. No answer may be a 500, none may take long, and at
the end no file and no memory may have been kept.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import tempfile
import time
import urllib.parse

os.environ['VIPS_WARNING'] = '0'

import fuzz_image_file
import numpy as np
import web_client as web

_TEXTS = (
  '',
  'x',
  '0',
  '-1',
  '1e999',
  'nan',
  'true',
  'null',
  '../etc/passwd',
  '%2e%2e%2f',
  '\0',
  '\r\nX: y',
  'ü中',
  '${7*7}',
  '<script>',
  'A' * 5000,
  'restore',
  'restore,upscale',
  ',',
  "'; --",
  '9' * 30,
  '{"a": 1}',
)


def resident(found):
  """KiB of the server and of the process that decodes."""
  total = 0
  for pid in ('self', found.app.state.queue.decoder.pid):
    status = pathlib.Path(f'/proc/{pid}/status').read_text()
    total += int(re.search(r'VmRSS:\s+(\d+)', status)[1])
  return total


def nonsense(found, spec, ids, rng):
  """A request of the API with values that may be anything."""
  pick = lambda choices: choices[int(rng.integers(len(choices)))]
  path = pick(sorted(spec['paths']))
  method = pick(sorted(spec['paths'][path]))
  value = lambda: pick(ids) if ids and rng.random() < 0.4 else pick(_TEXTS)
  known = spec['paths'][path][method].get('parameters', [])
  query = {
    p['name']: value()
    for p in known
    if p['in'] == 'query' and rng.random() < 0.7
  }
  if rng.random() < 0.2:
    query['unknown'] = value()
  url = re.sub(r'\{\w+\}', lambda _: urllib.parse.quote(value(), safe=''), path)
  if rng.random() < 0.2:
    method = pick(('get', 'post', 'put', 'delete', 'patch', 'head', 'options'))
  if url.endswith('/events') and method == 'get':
    return None  # A job that waits would be waited for.
  return found.request(
    method, url, params=query, content=rng.bytes(int(rng.integers(0, 200)))
  )


def run(count, seed, calls=1):
  """Counts of answers; raises AssertionError for what must not be."""
  outcomes, slowest = collections.Counter(), 0.0
  with tempfile.TemporaryDirectory() as folder:
    valid = fuzz_image_file.valid_files(folder)
  with web.client(pixels=fuzz_image_file.LIMIT) as found:
    spec = found.get('/api/openapi.json').json()
    root = pathlib.Path(found.app.state.store.root)
    ids, first = [], None
    for i in range(count):
      rng = np.random.default_rng((seed, i))
      suffix, data = valid[i % len(valid)]
      start = time.monotonic()
      out = found.post(
        f'/api/pictures?name=a{suffix}',
        content=fuzz_image_file.damaged(data, rng),
      )
      outcomes[out.status_code] += 1
      assert out.status_code in (201, 415, 422), (i, out.status_code, out.text)
      assert '\n' not in out.text and str(root) not in out.text, (i, out.text)
      if out.status_code == 201:
        ids.append(out.json()['id'])
      for _ in range(calls):
        answer = nonsense(found, spec, ids, rng)
        if answer is not None:
          outcomes[f'call {answer.status_code}'] += 1
          assert answer.status_code < 500, (i, answer.request, answer.text)
      seconds = time.monotonic() - start
      assert seconds < 20, (i, seconds)
      slowest = max(slowest, seconds)
      if len(ids) > 20:
        found.delete(f'/api/pictures/{ids.pop(0)}')
      if i == count // 5:
        first = resident(found)
    last = resident(found)
    for picture in found.get('/api/pictures').json():
      found.delete(f'/api/pictures/{picture["id"]}')
    left = [p for p in root.rglob('*') if p.is_file()]
    assert not left, left
    assert found.app.state.store.used == 0, found.app.state.store.used
  assert not root.exists()
  return {
    'files': count,
    'seed': seed,
    **{str(k): v for k, v in sorted(outcomes.items(), key=str)},
    'slowest_s': round(slowest, 2),
    'resident_mb': [round(first / 1024), round(last / 1024)],
  }


def main():
  """Runs it; the last line of stdout is JSON."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('--count', type=int, default=1000)
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  result = run(args.count, args.seed)
  first, last = result['resident_mb']
  assert last < first * 1.1 + 20, result['resident_mb']
  print(json.dumps(result))


if __name__ == '__main__':
  main()

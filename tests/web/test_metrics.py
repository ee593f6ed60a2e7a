"""What Prometheus is told, and to whom."""

import re

import web_client as web


def test_figures_of_the_server(folder):
  with web.client(folder) as page:
    job = page.post('/api/jobs?steps=restore', content=web.picture()).json()
    web.wait(page, job)
    out = page.get('/metrics')
    assert out.headers['content-type'].startswith('text/plain; version=0.0.4')
    found = dict(re.findall(r'^artjax_(\S+) (\S+)$', out.text, re.M))
    assert found['jobs_total{state="done"}'] == '1'
    assert found['jobs_total{state="failed"}'] == '0'
    assert float(found['job_seconds_total']) > 0
    assert found['jobs_running'] == found['jobs_waiting'] == '0'
    assert found['sessions'] == '1'
    assert int(found['stored_bytes']) == page.app.state.store.used > 0
    assert int(found['resident_memory_bytes{process="runner"}']) > 1 << 20
    # Nothing of what anybody has here.
    assert 'picture' not in out.text


def test_they_want_the_token(folder):
  with web.client(folder, token='0123456789ab') as page:
    assert page.get('/metrics').status_code == 401
    bearer = {'Authorization': 'Bearer 0123456789ab'}
    assert page.get('/metrics', headers=bearer).status_code == 200

"""The API under all that its OpenAPI document allows, and forbids.

With schemathesis (https://schemathesis.readthedocs.io) against a server of its
own: no 500, and every answer is one that the document has.
"""

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.generation import modes
from schemathesis.specs.openapi import checks as openapi
import web_client as web

CHECKS = (
  schemathesis.checks.not_a_server_error,
  openapi.status_code_conformance,
  openapi.content_type_conformance,
  openapi.response_schema_conformance,
)


@pytest.fixture(name='address', scope='module')
def address_fixture(tmp_path_factory):
  folder = tmp_path_factory.mktemp('weights')
  web.save_damage_weights(folder)
  web.save_weights(folder)
  with web.serving(folder) as found:
    yield found


@pytest.mark.parametrize('mode', list(modes.GenerationMode))
def test_every_answer_is_in_the_document(address, mode):
  api = schemathesis.openapi.from_url(
    f'{address}api/openapi.json', wait_for_schema=60
  )
  session, codes = requests.Session(), set()
  job = session.post(
    f'{address}api/jobs?steps=fill&name=a.png', web.soft_picture()
  ).json()
  session.get(f'{address}api/jobs/{job["id"]}/events')  # until it is done
  ids = {'picture': job['picture'], 'job': job['id']}
  operations = [found.ok() for found in api.get_all_operations()]
  assert len(operations) > 15
  for operation in operations:

    @hypothesis.settings(
      max_examples=6,
      deadline=None,
      derandomize=True,
      database=None,
      phases=[hypothesis.Phase.generate],
      suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
      # What is there is asked for, and is to stay there.
      for values in (
        (case.path_parameters, case.query) if (case.method != 'DELETE') else ()
      ):
        for name in set(values or ()) & set(ids):
          values[name] = ids[name]
      codes.add(
        case.call_and_validate(
          checks=CHECKS, session=session, timeout=30
        ).status_code
      )

    try:
      check()
    except hypothesis.errors.Unsatisfiable:
      pass  # It has nothing that could be wrong.
  assert codes >= ({200, 404, 422} if mode.is_positive else {422})

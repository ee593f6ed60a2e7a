"""Fixtures of collections."""

from museum_server import Museum
import pytest

from artjax.data.collections import base
from artjax.data.collections import collect
from artjax.data.collections import providers
from artjax.data.collections import web as web_lib

CONTACT = 'someone@example.org'


@pytest.fixture
def museum():
  with Museum() as server:
    yield server


@pytest.fixture
def fetch(museum, tmp_path):
  """Collects from the loopback server into a folder."""

  def run(name, text='', *, key='k', filters=None, size=0, **settings):
    provider = providers.load(name)
    accepted = settings.pop('licences', ('cc0', 'pdm'))
    settings = collect.Settings(
      settings.pop('limit', 100), accepted, **settings
    )
    query = base.Query(text, filters or {}, size)
    with web_lib.Web(CONTACT, provider, key, museum.transport()) as web:
      return collect.collect(provider, query, str(tmp_path), settings, web)

  return run

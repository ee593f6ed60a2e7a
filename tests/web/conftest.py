"""Weights of a tiny network and a page that uses them."""

import pytest
import web_client as web


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  return web.save_weights(tmp_path_factory.mktemp('weights'))


@pytest.fixture(scope='module')
def page(folder):
  with web.client(folder) as found:
    yield found

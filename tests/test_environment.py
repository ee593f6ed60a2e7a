"""Variables for libraries: defaults that the user's own values outrank."""

import os

from artjax import environment


def test_only_what_is_not_set_is_set(monkeypatch, tmp_path):
  monkeypatch.setattr(os, 'environ', {'VIPS_WARNING': '1', 'HOME': '/h'})
  environment.set_defaults()
  assert os.environ['VIPS_WARNING'] == '1'
  assert os.environ['JAX_COMPILATION_CACHE_DIR'].endswith('/.cache/artjax/xla')
  monkeypatch.setattr(os, 'environ', {'XDG_CACHE_HOME': str(tmp_path)})
  environment.set_defaults()
  assert os.environ['JAX_COMPILATION_CACHE_DIR'] == f'{tmp_path}/artjax/xla'

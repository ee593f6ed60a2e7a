"""Licences by their addresses."""

import pytest

from artjax.data.collections import licences


@pytest.mark.parametrize(
  'licence, name',
  [
    ('CC0', 'cc0'),
    ('https://creativecommons.org/publicdomain/zero/1.0/', 'cc0'),
    ('http://creativecommons.org/publicdomain/zero/1.0', 'cc0'),
    ('https://creativecommons.org/publicdomain/zero/1.0/deed.en', 'cc0'),
    ('http://www.creativecommons.org/publicdomain/mark/1.0/', 'pdm'),
    ('https://creativecommons.org/licenses/by/4.0/', 'by'),
    ('https://creativecommons.org/licenses/by-sa/3.0/de/', 'by-sa'),
    ('https://creativecommons.org/licenses/by-nc-nd/2.5/', 'by-nc-nd'),
    ('http://rightsstatements.org/vocab/NoC-US/1.0/', 'noc-us'),
    ('http://rightsstatements.org/vocab/InC/1.0/', ''),
    ('https://creativecommons.org/publicdomain/', ''),
    ('https://creativecommons.org/licenses/', ''),
    ('https://creativecommons.org.example.com/publicdomain/zero/1.0/', ''),
    ('https://example.com/creativecommons.org/publicdomain/zero/1.0/', ''),
    ('not CC0', ''),
    ('public domain', ''),
    ('', ''),
    (None, ''),
    (True, ''),
    (['CC0'], ''),
  ],
)
def test_names(licence, name):
  assert licences.name(licence) == name


def test_several_licences_are_unclear():
  by = 'https://creativecommons.org/licenses/by/4.0/'
  assert licences.only([licences.CC0, 'CC0']) == licences.CC0
  assert licences.only([licences.CC0, by]) == ''
  assert licences.only([licences.CC0, 'ask us']) == ''
  assert licences.only([]) == ''


def test_what_is_accepted():
  assert licences.parse('CC0, pdm') == ('cc0', 'pdm')
  for text in '', ',', 'cc0,public':
    with pytest.raises(ValueError, match='give some of cc0, pdm, by'):
      licences.parse(text)

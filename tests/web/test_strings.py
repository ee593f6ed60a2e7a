"""The page says the same in all languages, and nothing else."""

import json
import re

import pytest
import web_client as web

from artjax.web.server import app
from artjax.web.server import messages
from artjax.web.server import strings

# Of whole numbers (https://cldr.unicode.org/index/cldr-spec/plural-rules);
# where a language has more, the page takes 'other' for them.
PLURALS = {language: {'one', 'other'} for language in strings.LANGUAGES} | {
  'ja': {'other'}
}
OTHERS = [name for name in strings.LANGUAGES if name != 'en']
ENGLISH = strings.table('en')
SOURCES = {
  path.name: path.read_text()
  for path in app.STATIC.iterdir()
  if path.suffix in ('.js', '.html', '.css')
}


def forms(text):
  return list(text.values()) if isinstance(text, dict) else [text]


def names(text):
  return sorted(re.findall(r'\{(\w+)\}', text))


@pytest.mark.parametrize('language', OTHERS)
def test_every_language_has_every_text(language):
  table = strings.table(language)
  assert list(table) == list(ENGLISH)  # In one order, so that they compare.
  for key, english in ENGLISH.items():
    text = table[key]
    assert isinstance(text, dict) == isinstance(english, dict), key
    if isinstance(text, dict):
      assert text.keys() == PLURALS[language], key
    for form in forms(text):
      assert form.strip(), key
      assert names(form) == names(forms(english)[-1]), key
  same = [key for key in table if table[key] == ENGLISH[key]]
  assert len(same) < 30, same  # It is translated, not copied.


def test_what_the_page_says_is_in_the_table():
  said = '\n'.join(SOURCES.values())
  keys = set(re.findall(r'data-(?:t|label)="([^"]+)"', said))
  keys |= set(re.findall(r"\bt\('([^'$]+)'", said))
  assert len(keys) > 100 and keys <= ENGLISH.keys(), keys - ENGLISH.keys()
  # And nothing is in it that nobody says; some keys are put together.
  loose = re.findall(r'`([\w.]+\.)\$\{', said)
  for key in ENGLISH:
    used = f"'{key}'" in said or f'"{key}"' in said
    assert used or key.startswith(tuple(loose)), key


def test_pages_hold_no_words_of_their_own():
  for name in ('index.html', 'report.html'):
    texts = re.findall(r'>([^<>]+)<', SOURCES[name].split('<body>')[1])
    words = {text.strip() for text in texts} - {''}
    assert words <= {'artjax', 'JSON', 'PNG', 'TIFF', 'JPEG', 'WebP', '−', '+'}
    assert not re.findall(
      r'(?:aria-label|title|placeholder|alt)="', SOURCES[name]
    )


def test_styles_serve_both_directions():
  for name, text in SOURCES.items():
    if name.endswith('.css'):
      assert not re.findall(
        r'(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)'
        r'|[\s;{](?:left|right):|float:',
        text,
      ), name
      for sides in re.findall(r'(?:margin|padding): ([^;]+);', text):
        if len(sides.split()) == 4:
          assert sides.split()[1] == sides.split()[3], (name, sides)


def test_numbers_are_left_to_intl():
  for name, text in SOURCES.items():
    assert not re.findall(r'toFixed|toPrecision|toLocale|\} ?%', text), name


def test_a_message_is_known_to_the_page(page):
  out = page.post('/api/pictures?name=a.txt', content=b'no picture').json()
  assert out['error'].startswith('a.txt: not a picture')
  assert out['message'] == {'key': 'no_picture', 'values': {'name': 'a.txt'}}
  assert names(messages.TEXTS['no_picture']) == ['name']
  assert page.get('/api/pictures/0').json()['message']['key'] == 'gone'
  # What decoders say stays English.
  bad = page.post('/api/pictures?name=b.png', content=web.picture()[:60]).json()
  assert bad['error'] and 'message' not in bad


def test_tables_are_served(page):
  for language in strings.LANGUAGES:
    answer = page.get(f'/strings/{language}.json')
    assert json.loads(answer.content) == strings.table(language)
  assert page.get('/strings/xx.json').status_code == 404

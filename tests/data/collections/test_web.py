"""What servers do wrong, and what they ask for."""

import datetime
import email.utils

from museum_server import as_json
from museum_server import as_picture
from museum_server import Clock
from museum_server import Reply
import museums
import pytest

from artjax.data.collections import base
from artjax.data.collections import providers
from artjax.data.collections import web as web_lib
from artjax.data.collections.base import FetchError

URL = 'https://museum.example.org/a.jpg'
HERE = r'museum\.example\.org/a\.jpg'
LIMIT = 2**20


@pytest.fixture
def clock():
  return Clock()


@pytest.fixture
def slept(clock):
  return clock.slept


@pytest.fixture
def web(museum, clock):
  """Fetches for a provider that obeys robots.txt; waits are only noted."""
  provider = base.Provider('x', 'x', None, None, robots=True)
  transport = museum.transport(clock=clock)
  with web_lib.Web('me@example.org', provider, '', transport) as web:
    yield web


def test_a_host_that_is_busy_is_asked_again_later(museum, web, slept):
  busy = Reply(b'slow down', status=429, headers={'Retry-After': '120'})
  museum.on(HERE, [busy, Reply(status=503), as_picture(1)])
  assert web.picture(URL, LIMIT) == as_picture(1).body
  first, second = slept
  assert 119 < first <= 120  # as it asks
  assert 0.5 <= second <= 3  # with jitter


def test_retry_after_may_be_a_date(museum, web, slept):
  date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=5)
  text = email.utils.format_datetime(date, usegmt=True)
  museum.on(
    HERE, [Reply(status=503, headers={'Retry-After': text}), as_picture(1)]
  )
  web.picture(URL, LIMIT)
  assert 295 < slept[0] <= 300


def test_a_host_that_wants_hours_is_left_alone(museum, web, slept):
  museum.on(HERE, Reply(status=429, headers={'Retry-After': '7200'}))
  with pytest.raises(FetchError, match='asks to be left alone for 7200 s'):
    web.picture(URL, LIMIT)
  with pytest.raises(FetchError, match='asks to be left alone'):
    web.picture('https://museum.example.org/b.jpg', LIMIT)
  assert len(museum.asked('jpg')) == 1 and not slept


def test_waits_grow_and_end(museum, web, slept):
  museum.on(HERE, Reply(status=500))
  with pytest.raises(FetchError, match=r'a\.jpg answers 500 \(6 tries\)'):
    web.picture(URL, LIMIT)
  assert len(museum.asked('a.jpg')) == 6
  for i, seconds in enumerate(slept):
    assert 0.45 * 2**i <= seconds <= 1.5 * 2**i
  assert len({round(s / 2**i, 3) for i, s in enumerate(slept)}) > 1


def test_a_cut_connection_is_tried_again(museum, web):
  museum.on(HERE, [as_picture(1, cut=100), as_picture(1)])
  assert web.picture(URL, LIMIT) == as_picture(1).body
  museum.on(HERE, as_picture(1, cut=0))
  with pytest.raises(FetchError, match=r'fails: .* \(6 tries\)'):
    web.picture(URL, LIMIT)


@pytest.mark.parametrize('status', [400, 403, 404, 410, 451])
def test_what_is_final_is_not_asked_again(museum, web, status):
  museum.on(HERE, Reply(status=status))
  with pytest.raises(FetchError, match=f'answers {status}'):
    web.picture(URL, LIMIT)
  assert len(museum.asked('a.jpg')) == 1


def test_a_length_of_10_gb_is_not_even_begun(museum, web):
  length = {'Content-Length': str(10 * 10**9)}
  museum.on(HERE, as_picture(1, headers=length))
  with pytest.raises(FetchError, match='larger than 1 MiB'):
    web.picture(URL, LIMIT)
  assert len(museum.asked('a.jpg')) == 1


def test_a_length_that_is_not_told_is_counted(museum, web):
  body = b'\0' * (LIMIT + 1)
  chunk = b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body)
  chunked = {'Transfer-Encoding': 'chunked', 'Content-Length': None}
  museum.on(HERE, Reply(chunk, 'image/jpeg', headers=chunked))
  with pytest.raises(FetchError, match='larger than 1 MiB'):
    web.picture(URL, LIMIT)
  small = b'%x\r\n%s\r\n0\r\n\r\n' % (3, b'abc')
  museum.on(HERE, Reply(small, 'image/jpeg', headers=chunked))
  assert web.picture(URL, LIMIT) == b'abc'


@pytest.mark.parametrize('kind', ['text/html', 'application/pdf', 'video/mp4'])
def test_another_type_is_no_picture(museum, web, kind):
  museum.on(HERE, as_picture(1, type=f'{kind}; charset=utf-8'))
  with pytest.raises(FetchError, match=f'is {kind}, not a picture'):
    web.picture(URL, LIMIT)


@pytest.mark.parametrize('kind', ['image/png', 'application/octet-stream', ''])
def test_types_that_are_decoded(museum, web, kind):
  museum.on(HERE, as_picture(1, type=kind))
  assert web.picture(URL, LIMIT)


@pytest.mark.parametrize(
  'target, message',
  [
    (
      'https://169.254.169.254/latest/meta-data',
      'at 169.254.169.254, which is no',
    ),
    ('http://169.254.169.254/latest/meta-data', 'only https'),
    ('https://127.0.0.1/x.jpg', 'at 127.0.0.1, which is no address of the'),
    ('https://[::1]/x.jpg', 'at ::1, which is no'),
    ('https://[::ffff:10.0.0.1]/x.jpg', 'which is no address'),
    ('https://inside.example.org/x.jpg', 'inside.example.org is at 10.1.2.3'),
    ('https://two.example.org/x.jpg', 'two.example.org is at 192.168.0.1'),
    ('http://museum.example.org/b.jpg', 'only https'),
    ('https://user:secret@museum.example.org/b.jpg', 'with a password'),
    ('file:///etc/passwd', 'only https'),
    ('ftp://museum.example.org/b.jpg', 'only https'),
  ],
)
def test_redirects_do_not_lead_inside(museum, web, target, message):
  museum.places['inside.example.org'] = ['10.1.2.3']
  museum.places['two.example.org'] = ['93.184.216.34', '192.168.0.1']
  museum.on(HERE, Reply(status=302, headers={'Location': target}))
  museum.on(r'.*/(x|b)\.jpg', as_picture(1))
  with pytest.raises(FetchError, match=message):
    web.picture(URL, LIMIT)
  hosts = {r.host for r in museum.requests}
  assert hosts == {'museum.example.org'}
  assert not museum.asked('b.jpg')


def test_redirects_are_followed_to_an_end(museum, web):
  museum.on(HERE, Reply(status=301, headers={'Location': '/b.jpg'}))
  museum.on(
    r'museum\.example\.org/b\.jpg',
    Reply(status=307, headers={'Location': 'https://cdn.example.org/c.jpg'}),
  )
  museum.on(r'cdn\.example\.org/c\.jpg', as_picture(1))
  assert web.picture(URL, LIMIT) == as_picture(1).body
  museum.on(HERE, Reply(status=302, headers={'Location': URL}))
  with pytest.raises(FetchError, match='more than 5 redirects'):
    web.picture(URL, LIMIT)


def test_a_key_does_not_follow_a_redirect(museum):
  api = 'https://api.si.edu/openaccess/api/v1.0/search'
  provider = providers.load('smithsonian')
  museum.on(
    r'api\.si\.edu/.*',
    Reply(status=302, headers={'Location': 'https://elsewhere.example.org/'}),
  )
  museum.on(r'elsewhere\.example\.org/', as_json({}))
  transport = museum.transport()
  with web_lib.Web('me@example.org', provider, 'secret', transport) as web:
    web.json(api)
  assert museum.requests[0].query == {'api_key': 'secret'}
  assert museum.requests[1].query == {}


def test_a_key_is_in_no_message(museum):
  provider = providers.load('smithsonian')
  transport = museum.transport()
  with web_lib.Web('me@example.org', provider, 'secret', transport) as web:
    for reply in Reply(status=403), Reply(status=500), Reply(b'{'):
      museum.on(r'api\.si\.edu/.*', reply)
      with pytest.raises(FetchError) as error:
        web.json('https://api.si.edu/x', {'q': 'bird'})
      assert 'secret' not in str(error.value)
      assert 'https://api.si.edu/x' in str(error.value)
      assert 'bird' not in str(error.value)  # nor another parameter


def robots(museum, text, **fields):
  museum.on(r'.*/robots\.txt', Reply(text.encode(), 'text/plain', **fields))


def test_robots_txt_is_obeyed(museum, web):
  museum.on(r'museum\.example\.org/.*\.jpg', as_picture(1))
  robots(museum, 'User-agent: *\nDisallow: /*.jpg\nAllow: /free/*')
  with pytest.raises(FetchError, match='robots.txt forbids it'):
    web.picture(URL, LIMIT)
  assert web.picture('https://museum.example.org/free/a.jpg', LIMIT)
  assert len(museum.asked('robots.txt')) == 1


def test_robots_txt_may_mean_this_program(museum, web):
  museum.on(r'museum\.example\.org/.*\.jpg', as_picture(1))
  robots(museum, 'User-agent: artjax\nDisallow: /\n\nUser-agent: *\nAllow: /')
  with pytest.raises(FetchError, match='robots.txt forbids it'):
    web.picture(URL, LIMIT)


def test_robots_txt_of_where_a_redirect_leads(museum, web):
  museum.on(
    HERE, Reply(status=302, headers={'Location': 'https://cdn.example.org/a'})
  )
  museum.on(r'cdn\.example\.org/a', as_picture(1))
  museum.on(
    r'cdn\.example\.org/robots\.txt', Reply(b'User-agent: *\nDisallow: /')
  )
  with pytest.raises(FetchError, match='robots.txt forbids it'):
    web.picture(URL, LIMIT)


@pytest.mark.parametrize('status', [404, 401, 410])
def test_without_robots_txt_all_is_allowed(museum, web, status):
  museum.on(HERE, as_picture(1))
  robots(museum, 'Disallow', status=status)
  assert web.picture(URL, LIMIT)


def test_a_robots_txt_that_cannot_be_had_forbids_all(museum, web):
  museum.on(HERE, as_picture(1))
  robots(museum, '', status=503)
  with pytest.raises(FetchError, match='robots.txt answers 503'):
    web.picture(URL, LIMIT)
  assert not museum.asked('a.jpg')


def test_a_robots_txt_without_end_forbids_all(museum, web):
  museum.on(HERE, as_picture(1))
  robots(museum, '#' * 600_000)
  with pytest.raises(FetchError, match='robots.txt is larger than'):
    web.picture(URL, LIMIT)
  assert not museum.asked('a.jpg')


def test_a_delay_that_robots_txt_asks_for(museum, web, slept):
  museum.on(HERE, as_picture(1))
  robots(museum, 'User-agent: *\nCrawl-delay: 7')
  for _ in range(2):
    web.picture(URL, LIMIT)
  assert 6 < slept[-1] <= 7


@pytest.mark.parametrize('tag', ['noai', 'noimageai, nofollow', 'NOINDEX'])
def test_x_robots_tag(museum, web, tag):
  museum.on(HERE, as_picture(1, headers={'X-Robots-Tag': tag}))
  with pytest.raises(FetchError, match='X-Robots-Tag'):
    web.picture(URL, LIMIT)


def test_interfaces_are_meant_for_programs(museum, fetch):
  museums.met(museum, 1)
  robots(museum, 'User-agent: *\nDisallow: /')
  assert fetch('met', 'x')['pictures'] == 1


def test_who_asks_is_told(museum, web):
  museum.on(HERE, as_picture(1))
  web.picture(URL, LIMIT)
  agent = museum.requests[-1].headers['User-Agent']
  assert agent.startswith('artjax/') and '(me@example.org)' in agent


@pytest.mark.parametrize(
  'contact', ['', 'me', 'me@here', 'a b@c.de', 'x()@y.z']
)
def test_a_contact_is_an_address(contact):
  with pytest.raises(ValueError, match='museums want to know'):
    web_lib.user_agent(contact)
  assert 'https://my.org/x' in web_lib.user_agent('https://my.org/x')


def test_old_addresses_are_asked_for_over_https(museum, web):
  museum.on(HERE, as_picture(1))
  assert web.picture(URL.replace('https', 'http'), LIMIT)

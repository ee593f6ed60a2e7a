"""Addresses that may be connected to."""

import socket

import pytest

from artjax.data.collections import addresses
from artjax.data.collections.base import FetchError


@pytest.mark.parametrize(
  'address',
  [
    '127.0.0.1',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',  # shared by the customers of a provider
    '169.254.169.254',  # metadata of clouds
    '172.16.0.1',
    '192.168.1.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1%eth0',
    'fc00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',  # 127.0.0.1, translated
    '2002:7f00:1::',  # 127.0.0.1, tunnelled
    '2001:0:7f00:1::',  # the same by Teredo
  ],
)
def test_private_addresses(address):
  assert not addresses.is_public(address)


@pytest.mark.parametrize(
  'address', ['93.184.216.34', '2606:4700::1111', '64:ff9b::5db8:d822']
)
def test_public_addresses(address):
  assert addresses.is_public(address)


def test_all_addresses_of_a_host_have_to_be_public():
  resolve = lambda *found: addresses.resolve(
    'museum.org', 443, lambda host, port: [*found]
  )
  assert resolve('1.1.1.1', '8.8.8.8', '1.1.1.1') == ['1.1.1.1', '8.8.8.8']
  with pytest.raises(FetchError, match='museum.org is at 10.0.0.1, which'):
    resolve('1.1.1.1', '10.0.0.1')


@pytest.mark.parametrize('host', ['127.0.0.1', '2130706433', '0x7f.1', '::1'])
def test_numbers_are_addresses_too(host):
  # Asks no name server.
  with pytest.raises(FetchError, match='which is no address of the public'):
    addresses.resolve(host, 443)


def test_an_unknown_host_is_one_line():
  def look_up(host, port):
    raise socket.gaierror(-2, 'Name or service not known')

  with pytest.raises(FetchError, match='no host museum.org: .*not known'):
    addresses.resolve('museum.org', 443, look_up)
  with pytest.raises(FetchError, match='no host'):
    addresses.resolve('a' * 70 + '.org', 443)

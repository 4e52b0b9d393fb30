#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Install, reinstall, upgrade, remove and purge siw-provider, here, and look each
# time whose provider libibverbs finds.  For a root that is thrown away.
#
# install.sh DEB [DEB-FOR-ANOTHER-ABI]
set -eu

deb=$1
other=${2:-}
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

lib=$(dpkg-query --listfiles ibverbs-providers | grep '/libsiw-rdmav[0-9]*\.so$')
hash_of() { sha256sum "$1" | cut -d' ' -f1; }
stock=$(hash_of "$lib")
ours=$(dpkg --fsys-tarfile "$deb" | tar -xO ".$lib" | sha256sum | cut -d' ' -f1)
[ "$stock" != "$ours" ] || { echo "the stock provider is ours"; exit 1; }

failed=0
# expect WHEN WHOSE: is the file stock or ours, and is nothing left of the other?
expect() {
	case $2 in
	ours)
		want=$ours
		[ "$(hash_of "$lib.distrib")" = "$stock" ] || failed=1
		;;
	stock)
		want=$stock
		[ ! -e "$lib.distrib" ] || failed=1
		[ -z "$(dpkg-divert --list '*siw*')" ] || failed=1
		;;
	esac
	[ "$(hash_of "$lib")" = "$want" ] || failed=1
	[ -z "$(dpkg --audit)" ] || failed=1
	[ "$failed" = 0 ] || { echo "$1: not as it should be"; exit 1; }
	echo "$1: $2"
}
apt() { apt-get -q -y --no-install-recommends "$@" >/tmp/apt.log 2>&1 ||
	{ cat /tmp/apt.log; exit 1; }; }

expect 'at first' stock
apt install "$deb"
expect 'installed' ours
apt install --reinstall "$deb"
expect 'installed again' ours
apt install --reinstall ibverbs-providers
expect 'ibverbs-providers unpacked again' ours
apt remove siw-provider
expect 'removed' stock
apt install "$deb"
apt purge siw-provider
expect 'purged' stock

if [ -n "$other" ]; then
	# By dpkg alone, over the one that fits: what it needs is not there, and it is taken
	# away again.
	apt install "$deb"
	! dpkg -i "$other" >/tmp/dpkg.log 2>&1 || { echo 'another ABI is taken'; exit 1; }
	dpkg --remove siw-provider >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }
	expect 'another ABI unpacked and removed' stock

	# As after a new release: what is there was built for what is gone.
	dpkg --force-depends -i "$other" >/tmp/dpkg.log 2>&1 ||
		{ cat /tmp/dpkg.log; exit 1; }
	[ "$(hash_of "$lib")" = "$stock" ] || { echo 'wrong ABI is used'; exit 1; }
	dpkg -i "$deb" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }
	expect 'upgraded from another ABI' ours
	[ "$(dpkg-divert --list '*siw*' | wc -l)" = 1 ] ||
		{ dpkg-divert --list; echo 'a diversion was left'; exit 1; }
	apt purge siw-provider
	expect 'purged again' stock
fi

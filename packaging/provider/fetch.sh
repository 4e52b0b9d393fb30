#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Download the source of rdma-core that a Debian suite has, into OUTDIR, as apt
# verifies it.  Its private ABI is what a provider is built for:
#
#   bookworm  44.0  ABI 34; the archive serves no such file any more: take
#                   trixie's, of the same ABI
#   trixie    56.1  ABI 34
#   sid       65.0  ABI 65
set -eu

[ $# -eq 2 ] || { echo "usage: $0 SUITE OUTDIR" >&2; exit 2; }
suite=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The mirror is that of the host's own apt sources, unless SIW_MIRROR names one.
: "${SIW_MIRROR:=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
	'Created-By: Packages' | awk '$2 ~ /^[a-z]+$/ && $1 ~ "/debian/?$" {
		print $1
		exit
	}')}"
[ -n "$SIW_MIRROR" ] || { echo "$0: no mirror: set SIW_MIRROR" >&2; exit 1; }

state=$(mktemp -d "${TMPDIR:-/tmp}/siw-apt.XXXXXX")
trap 'rm -rf "$state"' EXIT
mkdir -p "$state/lists/partial" "$state/archives/partial"
echo "deb-src [signed-by=$keyring] $SIW_MIRROR $suite main" >"$state/list"

# What installs on this machine is none of our business: an apt of its own.
apt() {
	apt-get -q -o Dir::State="$state" -o Dir::State::Lists="$state/lists" \
		-o Dir::Cache="$state" -o Dir::Etc::SourceList="$state/list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false \
		-o APT::Sandbox::User=root "$@"
}

apt update
cd "$out"
apt source --download-only --tar-only rdma-core
ls -l "$out"/rdma-core_*.orig.tar.*

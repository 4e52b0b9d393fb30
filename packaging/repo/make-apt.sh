#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Make a signed apt repository of Debian packages, anew: OUTDIR, which is replaced.
#
# make-apt.sh [-u URL] [-d DAYS] KEY OUTDIR DEB... [DSC...]
#
#	KEY	the signing key, as gpg --local-user takes it
#	URL	where OUTDIR will be served; default file:OUTDIR
#	DAYS	until the index expires and apt refuses it; default 30.  Sign anew
#		before, also when nothing has changed
#
# A package of Debian 11 (its version ends in ~deb11) goes to the suite bullseye, all
# others to stable, for Debian 12 and 13, and to sid, for what comes after; of the
# provider each gets that of its rdma-core.  All get the source package, a DSC with the
# files it names beside it, for apt source.  OUTDIR gets siw.asc, the public key, and
# SUITE.sources, what users put into /etc/apt/sources.list.d.
set -eu
. "$(dirname "$0")/swap.sh"

usage() {
	echo "usage: $0 [-u URL] [-d DAYS] KEY OUTDIR DEB... [DSC...]" >&2
	exit 2
}

url=
days=30
while getopts u:d: option; do
	case $option in
	u) url=$OPTARG ;;
	d) days=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || usage
key=$1
repo_begin "$2" dists pool siw.asc '*.sources'
shift 2
: "${url:=file:$out}"

for deb; do
	case $deb in
	*.dsc) continue ;;
	*~deb11_*) suites=bullseye ;;
	*+rdmav34_*) suites=stable ;;
	*+rdmav*) suites=sid ;;
	*) suites='stable sid' ;;
	esac
	for suite in $suites; do
		mkdir -p "$new/pool/$suite"
		cp "$deb" "$new/pool/$suite/"
	done
done

types=deb
for dsc; do
	case $dsc in
	*.dsc) types='deb deb-src' ;;
	*) continue ;;
	esac
	for pool in "$new"/pool/*; do
		cp "$dsc" "$pool/"
		sed -n '/^Files:/,/^[^ ]*:/s/^ [0-9a-f]* [0-9]* //p' "$dsc" |
			while read -r file; do
				cp "$(dirname "$dsc")/$file" "$pool/" || exit 1
			done
	done
done

cd "$new"
gpg --batch --armor --export "$key" >siw.asc
for pool in pool/*; do
	suite=${pool#pool/}
	mkdir -p "dists/$suite/main"
	arches=$(for deb in "$pool"/*.deb; do
		dpkg-deb --field "$deb" Architecture
	done | sort -u | grep -vx all || :)
	[ -n "$arches" ] || arches=$(dpkg --print-architecture)
	for arch in $arches; do
		index=dists/$suite/main/binary-$arch
		mkdir -p "$index"
		apt-ftparchive -o APT::FTPArchive::AlwaysStat=true --arch "$arch" \
			packages "$pool" >"$index/Packages"
		xz -k "$index/Packages"
	done
	if [ "$types" != deb ]; then
		mkdir "dists/$suite/main/source"
		apt-ftparchive -o APT::FTPArchive::AlwaysStat=true sources "$pool" \
			>"dists/$suite/main/source/Sources"
		xz -k "dists/$suite/main/source/Sources"
	fi
	apt-ftparchive -o APT::FTPArchive::Release::Origin=siw \
		-o APT::FTPArchive::Release::Label=siw \
		-o "APT::FTPArchive::Release::Suite=$suite" \
		-o "APT::FTPArchive::Release::Codename=$suite" \
		-o "APT::FTPArchive::Release::Components=main" \
		-o "APT::FTPArchive::Release::Architectures=$(echo $arches)" \
		release "dists/$suite" >Release.new
	{
		# apt compares it with the clock of the machine that installs, and
		# reads it in English alone.
		sed '/^MD5Sum:/,$d' Release.new
		echo "Valid-Until: $(LC_ALL=C date -u -d "$days days" '+%a, %d %b %Y %T UTC')"
		sed -n '/^SHA256:/,/^[^ ]*SHA512:/{/^SHA512:/d;p}' Release.new
	} >"dists/$suite/Release"
	rm Release.new
	gpg --batch --local-user "$key" --clearsign \
		--output "dists/$suite/InRelease" "dists/$suite/Release"
	gpg --batch --local-user "$key" --armor --detach-sign \
		--output "dists/$suite/Release.gpg" "dists/$suite/Release"
	cat >"$suite.sources" <<END
Types: $types
URIs: $url
Suites: $suite
Components: main
Signed-By: /etc/apt/keyrings/siw.asc
END
done
repo_publish

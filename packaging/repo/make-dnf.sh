#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Make a signed dnf repository of RPMs, anew: OUTDIR, which is replaced. Packages and
# index are signed.
#
# make-dnf.sh [-u URL] KEY OUTDIR RPM...
#
#	KEY	the signing key, as gpg --local-user takes it
#	URL	where OUTDIR will be served; default file://OUTDIR
#
# OUTDIR gets siw.asc, the public key, and siw.repo, what users put into
# /etc/yum.repos.d.  An index of dnf has no date of expiry; a key has.
set -eu
. "$(dirname "$0")/swap.sh"

usage() {
	echo "usage: $0 [-u URL] KEY OUTDIR RPM..." >&2
	exit 2
}

url=
while getopts u: option; do
	case $option in
	u) url=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || usage
key=$1
repo_begin "$2" packages repodata siw.asc siw.repo
shift 2
: "${url:=file://$out}"

mkdir "$new/packages"
cp "$@" "$new/packages/"
cd "$new"
gpg --batch --armor --export "$key" >siw.asc
# Each distribution's rpm looks for gpg in a place of its own.
rpmsign --define "__gpg $(command -v gpg)" --define "_gpg_name $key" \
	--addsign packages/*.rpm >/dev/null
# createrepo_c 1.0 and later would take zstd, which not each dnf and zypper can read, and
# those before make databases as well, for yum alone.
createrepo_c --quiet --no-database --general-compress-type gz .
gpg --batch --local-user "$key" --armor --detach-sign repodata/repomd.xml
cat >siw.repo <<END
[siw]
name=software iWARP
baseurl=$url
gpgkey=$url/siw.asc
gpgcheck=1
repo_gpgcheck=1
enabled=1
END
repo_publish

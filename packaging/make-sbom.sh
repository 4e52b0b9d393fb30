#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Write the SPDX 2.3 document (JSON) of a package: what is in it, by SHA-256, under
# which licence, what it needs, which libraries its programs were built with.
#
# make-sbom.sh PACKAGE OUTFILE [BUILDINFO [SOURCE VERSION]]
#
#	PACKAGE		a .deb, .rpm or source tarball (siw-VERSION.tar.xz)
#	BUILDINFO	of dpkg-buildpackage, or with its field
#			Installed-Build-Depends alone: versions of what was there
#	SOURCE VERSION	of somebody else, parts of which are linked into it
#
# The same package gives the same document. Needs jq; rpm and cpio for an .rpm.
set -eu

case $# in
2 | 3 | 5) ;;
*)
	echo "usage: $0 PACKAGE OUTFILE [BUILDINFO [SOURCE VERSION]]" >&2
	exit 2
	;;
esac
package=$(realpath "$1")
out=$(realpath -m "$2")
buildinfo=${3:+$(realpath "$3")}
linked=${4:-}
linked_version=${5:-}
top=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/siw-sbom.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"
export LC_ALL=C

# spdx NAME: of a licence as DEP-5 has it, in the words of SPDX.
spdx() {
	sed -e 's/GPL-2 with \(Linux-syscall-note\) exception/GPL-2.0-only WITH \1/' \
		-e 's/GPL-2$/GPL-2.0-only/' -e 's/GPL-2 /GPL-2.0-only /' \
		-e 's/BSD-3-clause/BSD-3-Clause/' -e 's/ or / OR /' -e 's/ and / AND /'
}

# all_of: licences, one a line, that hold together.
all_of() {
	sort -u | sed '/ OR /s/.*/(&)/' | paste -sd '#' | sed 's/#/ AND /g'
}

# What the stanzas of a DEP-5 file for files say.
dep5() {
	awk '/^Files:/ { files = 1 } /^$/ { files = 0 }
		files && sub(/^License: */, "") { print }' "$1" | spdx | all_of
}

case $package in
*.deb)
	kind=deb
	dpkg-deb -x "$package" "$tree"
	name=$(dpkg-deb -f "$package" Package)
	version=$(dpkg-deb -f "$package" Version)
	arch=$(dpkg-deb -f "$package" Architecture)
	license=$(dep5 "$tree/usr/share/doc/$name/copyright")
	dpkg-deb -f "$package" Pre-Depends Depends | sed 's/^[A-Za-z-]*: //' |
		tr , '\n' | sed -e 's/|.*//' -e 's/([^)]*)//' -e 's/:any//' |
		tr -d ' ' | sed '/^$/d' | sort -u >"$work/needs"
	;;
*.rpm)
	kind=rpm
	(cd "$tree" && rpm2cpio "$package" | cpio -idm --quiet)
	field() { rpm -qp --nosignature --qf "%{$1}" "$package"; }
	name=$(field NAME)
	version=$(field VERSION)-$(field RELEASE)
	arch=$(field ARCH)
	license=$(field LICENSE)
	rpm -qp --nosignature --requires "$package" | sed 's/[ (].*//' |
		grep -v -e '^rpmlib' -e '^config' -e '^/' | sort -u >"$work/needs" || :
	;;
*.tar.*)
	kind=generic
	tar -xf "$package" -C "$tree" --strip-components=1
	name=siw
	version=$(cat "$tree/VERSION")
	arch=source
	license=$(dep5 "$tree/packaging/debian/copyright")
	: >"$work/needs"
	;;
*)
	echo "$0: $package: no .deb, .rpm or .tar" >&2
	exit 2
	;;
esac
[ -n "$license" ] || { echo "$0: $package: no licence found" >&2; exit 1; }

# Libraries that are linked, and those that are headers alone.
: >"$work/built"
case $arch in
all | noarch) buildinfo= ;;
esac
if [ -n "$buildinfo" ]; then
	control=$top/packaging/debian/control
	[ "$name" != siw-provider ] || control=$top/packaging/provider/debian/control
	sed -n '/^Build-Depends/,/^[A-Z].*[^,]$/p' "$control" |
		grep -oE 'lib[a-z0-9+-]*-dev|nlohmann-json3-dev' | sort -u >"$work/dev"
	sed -n '/^Installed-Build-Depends:/,/^[A-Z]/s/^ \([^: ]*\)[^ ]* (= \([^)]*\)),*$/\1 \2/p' \
		"$buildinfo" | grep -wF -f "$work/dev" >"$work/built" || {
		echo "$0: $buildinfo: no library that $control names" >&2
		exit 1
	}
fi

# Each file: hashes, and the licences it names itself.
(cd "$tree" && find . -type f | sort | while read -r file; do
	said=$(grep -ahom 1 'SPDX-License-Identifier: [A-Za-z0-9.+() -]*' "$file" |
		sed -e 's/^[^:]*: //' -e 's/ WITH [A-Za-z-]*//g' -e 's/[()]//g' \
			-e 's/ *-*$//' || :)
	if ! grep -qI . "$file"; then
		type=BINARY said=
	else
		type=TEXT
	fi
	printf '%s\t%s\t%s\t%s\t%s\n' "$file" "$type" \
		"$(sha1sum <"$file" | cut -d' ' -f1)" \
		"$(sha256sum <"$file" | cut -d' ' -f1)" \
		"$(echo "$said" | sed -e 's/ OR /,/g' -e 's/ AND /,/g')"
done) >"$work/files"

sum=$(sha256sum <"$package" | cut -d' ' -f1)
code=$(cut -f3 "$work/files" | sort | tr -d '\n' | sha1sum | cut -d' ' -f1)
stamp=$(date -d "$(sed -n '/^ -- /{s/.*>  //p;q;}' "$top/packaging/debian/changelog")" +%s)

jq -n --arg kind "$kind" --arg name "$name" --arg version "$version" \
	--arg arch "$arch" --arg license "$license" --arg sum "$sum" \
	--arg code "$code" --arg file "${package##*/}" \
	--arg linked "$linked" --arg linked_version "$linked_version" \
	--arg tool "$(cat "$top/VERSION")" \
	--arg created "$(date -u -d "@$stamp" +%Y-%m-%dT%H:%M:%SZ)" \
	--rawfile needs "$work/needs" --rawfile built "$work/built" \
	--rawfile files "$work/files" '
def lines: split("\n") | map(select(. != ""));
def ref: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
def licenses: split(",") | map(gsub("^ +| +$"; "")) | map(select(. != ""));
def purl($kind; $n; $v): {referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
	referenceLocator: ("pkg:" + $kind + "/" +
		(if $kind == "deb" then "debian/" else "" end) + $n +
		(if $v == "" then "" else "@" + ($v | @uri) end))};
# An RPM needs libraries by their file names, which are not those of packages.
def other($kind; $n; $v): {SPDXID: ("need-" + $n | ref), name: $n,
	downloadLocation: "NOASSERTION", filesAnalyzed: false,
	licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION",
	copyrightText: "NOASSERTION"} +
	(if $n | test("\\.so(\\.|$)") then {}
		else {externalRefs: [purl($kind; $n; $v)]} end) +
	(if $v == "" then {} else {versionInfo: $v} end);
("package-" + $name | ref) as $self |
($built | lines | map(split(" "))) as $built |
($needs | lines | map(select(. as $n | $built | map(.[0]) | index($n) | not))) as $needs |
[$files | lines[] | split("\t") | {
	SPDXID: ("file-" + .[3][0:16] + "-" + .[0] | ref),
	fileName: .[0], fileTypes: [.[1]],
	checksums: [{algorithm: "SHA1", checksumValue: .[2]},
		{algorithm: "SHA256", checksumValue: .[3]}],
	licenseConcluded: "NOASSERTION",
	licenseInfoInFiles: (.[4] | licenses | if . == [] then ["NOASSERTION"] else . end),
	copyrightText: "NOASSERTION"}] as $contents |
{
	spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT",
	name: ($name + "-" + $version),
	documentNamespace: ("https://siw.invalid/spdx/" + $file + "-" + $sum),
	creationInfo: {created: $created,
		creators: ["Organization: The siw authors", "Tool: make-sbom.sh-" + $tool]},
	packages: ([{
		SPDXID: $self, name: $name, versionInfo: $version, packageFileName: $file,
		supplier: "Organization: The siw authors (siw@siw.invalid)",
		downloadLocation: "NOASSERTION", filesAnalyzed: true,
		packageVerificationCode: {packageVerificationCodeValue: $code},
		checksums: [{algorithm: "SHA256", checksumValue: $sum}],
		licenseConcluded: $license, licenseDeclared: $license,
		licenseInfoFromFiles: ([$contents[].licenseInfoInFiles[]] | unique),
		copyrightText: "2026 The siw authors",
		primaryPackagePurpose: (if $kind == "generic" then "SOURCE" else "INSTALL" end),
		externalRefs: [purl($kind; $name; $version)]}] +
		[$needs[] | other($kind; .; "")] + [$built[] | other("deb"; .[0]; .[1])] +
		(if $linked == "" then []
			else [other("generic"; $linked; $linked_version)] end)),
	files: $contents,
	relationships: ([{spdxElementId: "SPDXRef-DOCUMENT",
		relationshipType: "DESCRIBES", relatedSpdxElement: $self}] +
		[$contents[] | {spdxElementId: $self, relationshipType: "CONTAINS",
			relatedSpdxElement: .SPDXID}] +
		[$needs[] | {spdxElementId: $self, relationshipType: "DEPENDS_ON",
			relatedSpdxElement: ("need-" + . | ref)}] +
		[$built[] | {spdxElementId: ("need-" + .[0] | ref),
			relationshipType: "BUILD_DEPENDENCY_OF", relatedSpdxElement: $self}] +
		(if $linked == "" then [] else [{spdxElementId: $self,
			relationshipType: "STATIC_LINK",
			relatedSpdxElement: ("need-" + $linked | ref)}] end))
}' >"$out"

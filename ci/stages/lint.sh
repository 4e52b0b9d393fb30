# shellcheck shell=bash
# Style, layers, sizes, static checks.


# Scripts of the newest kernel's source package: checkpatch and kernel-doc.
kernel_scripts=$cache/kernel-scripts

kernel_scripts_ready() {
	local root package dir=$kernel_scripts.new
	[ -e "$kernel_scripts/scripts/checker-valid.sh" ] && return
	root=$(root newest full)
	in_root "$root" apt-get -qq update || return 1
	package=$(in_root "$root" apt-cache pkgnames linux-source- |
		grep -E '^linux-source-[0-9.]+$' | sort -V | tail -n 1)
	rm -rf "$dir" "$out/share/source"
	mkdir -p "$dir" "$out/share/source"
	chmod 777 "$out/share/source"
	in_root "$root" sh -c \
		"cd /srv/source && apt-get -qq download $package" || return 1
	dpkg --fsys-tarfile "$out/share/source/"linux-source*.deb |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' | xz -dc |
		tar -xC "$dir" --wildcards --strip-components=1 \
			'*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' \
			'*/scripts/checker-valid.sh' \
			'*/scripts/kernel-doc*' '*/tools/docs/kernel-doc*' \
			'*/tools/lib/python/*' || return 1
	rm -rf "$out/share/source"
	rm -rf "$kernel_scripts"
	mv "$dir" "$kernel_scripts"
}

driver_sources() { find "$top/siw" -name '*.[ch]' | sort; }

checkpatch() {
	driver_sources | xargs -r perl "$kernel_scripts/scripts/checkpatch.pl" \
		--no-tree --strict --terse --show-types --no-summary -f
}

kernel_doc() {
	local said
	said=$(driver_sources |
		xargs -r python3 "$kernel_scripts/tools/docs/kernel-doc" \
			-none -Wall 2>&1)
	say "$said"
	! grep -qiE 'warning:|error:|Traceback' <<<"$said"
}

# No complaint of sparse.  It is run on the LTS kernel: that of the newest
# suite is too old for the newest kernel, whose kbuild then leaves it out.
sparse() {
	local log=$out/log/sparse-$1.make
	module_build "$1" "$log" C=2 || return 1
	grep -q '  CHECK ' "$log" || {
		say 'sparse did not run'
		return 1
	}
	! grep -E '(warning|error):' "$log" |
		grep -v 'siw/main.c:.*: bad constant expression$'
}

# One source for the kernel and for user space: no test hooks.
no_hooks() {
	! grep -rnE '#\s*if.*__KERNEL__' "$top/siw"
}

stub_budget() {
	local lines
	lines=$(find "$top/selftests/kstub" -type f -exec cat {} + | wc -l)
	say "selftests/kstub: $lines lines of 200"
	[ "$lines" -gt 0 ] && [ "$lines" -lt 200 ]
}

shell_scripts() {
	grep -rlE '^#!/bin/(ba)?sh' . --exclude-dir=.git --exclude-dir=build
	printf '%s\n' ./ci/lib/*.sh ./ci/stages/*.sh
}

shell_check() {
	# The files of ci/ are read into one shell: names cross them.
	cd "$top" && shell_scripts | sort -u | grep -v 'initramfs-init$' |
		xargs shellcheck --severity=warning --exclude=SC1090,SC1091,SC2034,SC2154
}

format_check() {
	cd "$top" && find ci tools selftests/conform selftests/fuzz \
		selftests/model selftests/unit \
		\( -name '*.cc' -o -name '*.h' \) \
		-exec clang-format --dry-run --Werror {} +
}

# A comment that says what a barrier pairs with has a barrier behind it, in the
# next four lines: most CPUs, and all of ours, would not miss it.
barriers_stand() {
	driver_sources | grep -v /tests/ | xargs awk '
		FNR == 1 { due = comment = 0 }
		due && (/\/\*/ || /^}/ || !--due) {
			print where ": no barrier behind this comment"
			bad = 1
			due = 0
		}
		/\/\*/ {
			comment = 1
			text = ""
		}
		comment {
			text = text $0
			if (!/\*\//)
				next
			comment = 0
			where = FILENAME ":" FNR
			due = tolower(text) ~ /pairs with|full barrier/ ? 5 : 0
		}
		/smp_[a-z_]+\(|_acquire\(/ { due = 0 }
		END { exit bad }'
}

# Nothing of the machine it was written on.
no_leaks() {
	! (cd "$top" && grep -rnIE --exclude-dir=.git --exclude-dir=build \
		'https?://[a-z0-9.-]+/debian(-security)?\b' .)
}

# The reference has each counter and each tracepoint with its fields, no other.
counters_listed() {
	diff <(sed -n 's/.*\.name = "\(.*\)".*/\1/p' "$top/siw/stats.c" | sort) \
		<(sed -n 's/^| `\([a-z_]*\)` .*/\1/p' \
			"$top/docs/reference/counters.md" | sort)
}

# trace_events: each with its fields, as trace.h has them.
trace_events() {
	awk '
		/^(DECLARE_EVENT_CLASS|TRACE_EVENT)\(/ {
			name = $0
			gsub(/.*\(|,.*/, "", name)
			fields[name] = ""
			if (/^TRACE_EVENT/)
				class[name] = name
		}
		/__(field|array)\(/ {
			sub(/.*__(field|array)\([^,]*, */, "")
			sub(/[,)].*/, "")
			fields[name] = fields[name] " " $0
		}
		/^DEFINE_EVENT\(/ {
			gsub(/.*\(|,$/, "")
			split($0, part, ", *")
			class[part[2]] = part[1]
		}
		END {
			for (event in class)
				print event fields[class[event]]
		}' "$top/siw/trace.h"
}

tracepoints_listed() {
	diff <(trace_events | sort) \
		<(sed -n 's/^| \(`siw_[^|]*\) | \([^|]*\) |.*/\1 \2/p' \
			"$top/docs/reference/tracepoints.md" | tr -d '`' | sort)
}

# versions_written: where ours is written down, and which.
versions_written() {
	local page
	say "packaging/debian/changelog" \
		"$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)"
	say "packaging/rpm/siw.spec $(sed -n 's/^Version: *//p' packaging/rpm/siw.spec)"
	say "packaging/rpm/siw.spec:%changelog" "$(sed -n \
		'/^%changelog/{n;s/.* - \([0-9.]*\)-[0-9]*$/\1/p;}' packaging/rpm/siw.spec)"
	say "CHANGELOG.md" "$(sed -n 's/^## \[*v*\([0-9.]*\)\]*.*/\1/p' CHANGELOG.md |
		head -n 1)"
	for page in packaging/debian/*.[1-9] tools/man/*.[1-9]; do
		say "$page" "$(sed -n 's/^\.TH .* "siw \([^"]*\)" .*/\1/p' "$page")"
	done
	# siw-1.2.3, siw/1.2.3, siw 1.2.3, siw_1.2.3; and the tag.
	grep -noPH '(siw[a-z-]*[-_/ ]|git tag v)\K\d+\.\d+\.\d+(?![.\d])' \
		README.md packaging/README.md docs/how-to/*.md |
		sed 's/:\([0-9.]*\)$/ \1/'
}

versions_agree() {
	local version place found status=0
	cd "$top" || return 1
	version=$(cat VERSION)
	while read -r place found; do
		[ "$found" != "$version" ] || continue
		say "$place: ${found:-no version}; VERSION says $version"
		status=1
	done < <(versions_written)
	return "$status"
}

# Each file of the driver is in one patch of the series for Linux.
series_is_whole() {
	local status=0 want
	cd "$top" || return 1
	want=$(find siw -name '*.[ch]' | sort)
	# shellcheck disable=SC2046 # patterns of files
	diff <(printf '%s\n' "$want") <(printf '%s\n' $(sed -n 's/^Files: *//p' \
		packaging/upstream/kernel/[0-9]*) | grep '\.[ch]$' | sort) || status=1
	return "$status"
}

# dep5_licences: PATTERN, a tab, LICENCE, of each stanza for files, in their order.
dep5_licences() {
	awk '/^Files:/ { files = $0; sub(/^Files: */, "", files); next }
		files != "" && /^[ \t]+[^ ]/ && !licence { files = files " " $1 }
		/^Copyright:/ { licence = 1 }
		files != "" && sub(/^License: */, "") {
			n = split(files, pattern, " ")
			for (i = 1; i <= n; i++)
				print pattern[i] "\t" $0
		}
		/^$/ { files = ""; licence = 0 }' packaging/debian/copyright
}

# What debian/copyright says of a file is what the file says itself, and every
# pattern in it is for something.
licences_agree() {
	local file said licence patterns licences i used=() status=0
	cd "$top" || return 1
	mapfile -t patterns < <(dep5_licences | cut -f1)
	mapfile -t licences < <(dep5_licences | cut -f2)
	[ ${#patterns[@]} -gt 0 ] || return 1
	while IFS=: read -r file said; do
		said=$(sed -e 's/^.*Identifier: //' -e 's/ *\*\/$//' -e 's/[()]//g' \
			-e 's/GPL-2\.0\(-only\)*/GPL-2/' -e 's/BSD-3-C/BSD-3-c/' -e 's/ OR / or /' \
			-e 's/ WITH Linux-syscall-note/ with Linux-syscall-note exception/' \
			-e 's/ *$//' <<<"$said")
		for ((i = 0; i < ${#patterns[@]}; i++)); do
			# shellcheck disable=SC2053 # a pattern
			[[ $file == ${patterns[i]} ]] || continue
			licence=${licences[i]}
			used[i]=1
		done
		[ "$said" = "$licence" ] && continue
		say "$file: $said, packaging/debian/copyright: $licence"
		status=1
	done < <(git ls-files siw selftests tools docs libsiw packaging security |
		xargs grep -IoHm1 'SPDX-License-Identifier: [A-Za-z0-9.() -]*')
	for ((i = 0; i < ${#patterns[@]}; i++)); do
		[ -n "${used[i]:-}" ] && continue
		say "packaging/debian/copyright: ${patterns[i]} is for no file"
		status=1
	done
	return "$status"
}

# Each licence and exception that a file names has its text in LICENSES, by its SPDX
# identifier, and no other has.
licences_have_texts() {
	cd "$top" || return 1
	diff <(git ls-files | xargs grep -Ioh \
		'SPDX-License-Identifier: [A-Za-z0-9.() +-]*' | sed 's/.*: //' |
		grep -oE '[A-Z][A-Za-z0-9.+-]*' | grep -vxE 'AND|OR|WITH' | sort -u) \
		<(find LICENSES -type f -size +0 -printf '%f\n' | sed 's/\.txt$//' | sort)
}

licences() {
	licences_agree && licences_have_texts
}

# Both units are confined, and alike.
units_confined() {
	local dir=$out/units
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/packaging/debian/siw.service "$dir/"
	cp "$top"/packaging/debian/siw.siw-link@.service "$dir/siw-link@.service"
	diff <(sed -n '/^CapabilityBoundingSet=/,/^UMask=/p' "$dir/siw.service") \
		<(sed -n '/^CapabilityBoundingSet=/,/^UMask=/p' "$dir/siw-link@.service") &&
		systemd-analyze security --offline=yes --threshold=30 --no-pager \
			"$dir/siw.service" "$dir/siw-link@.service"
}

stage_lint() {
	need clang-format debian-archive-keyring mmdebstrap perl python3 \
		shellcheck systemd xz-utils dpkg-dev patch
	check layers "$top/ci/check-layers"
	check sizes "$top/ci/check-sizes"
	check compat "$top/packaging/compat/check.sh"
	check versions versions_agree
	check licences licences
	check release-lines lines_are_sound
	check no-hooks no_hooks
	check barriers barriers_stand
	check stub-budget stub_budget
	check shellcheck shell_check
	check clang-format format_check
	check no-mirror-address no_leaks
	check counters-listed counters_listed
	check tracepoints-listed tracepoints_listed
	check units-confined units_confined
	check mutants mutants_apply
	check drills drills_are_sound
	check series series_is_whole
	security_checks
	check root-newest root_ready newest full &&
		check kernel-scripts kernel_scripts_ready && {
		check checkpatch checkpatch
		check kernel-doc kernel_doc
	}
	check root-bookworm root_ready bookworm full &&
		check sparse sparse bookworm
}

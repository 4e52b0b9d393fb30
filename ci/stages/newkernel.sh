# shellcheck shell=bash
# Kernel series that the archive has and kernels.toml has not.

# new_series: the lines of $archive/kernels, the newest of each such series.
new_series() {
	local series known
	known=" $(for name in $(rows kernel); do
		kernel_field "$name" series
	done | xargs) "
	for series in $(cut -d' ' -f2 "$archive/kernels" | sort -uV); do
		[[ $known == *" $series "* ]] && continue
		awk -v series="$series" '$2 == series && $5 == "amd64"' \
			"$archive/kernels" | in_version_order newest
	done
}

# The suite a pocket belongs to.
suite_of() {
	local suite
	for suite in $(rows suite); do
		[[ " $(field suite "$suite" pockets) " != *" $1 "* ]] ||
			say "$suite"
	done
}

# try_series POCKET SERIES: build for it, as for a row of the table.
try_series() {
	kernel_table=$out/kernels.toml
	{
		cat "$top/ci/kernels.toml"
		printf '\n[[kernel]]\n%s = "%s"\n' name "new-$2"
		printf '%s = "%s"\n' suite "$(suite_of "$1")" series "$2" \
			point newest flavour amd64 tier new
	} >"$kernel_table"
	root_ready "new-$2" full && build_silent "new-$2"
}

stage_newkernel() {
	local pocket series version release flavour said found status=0
	archive_ready >"$out/log/archive.log" || {
		cat "$out/log/archive.log"
		return 1
	}
	# What is new cannot be told from old lists.
	! archive_unread || return 1
	found=$(new_series)
	[ -n "$found" ] || {
		say "no series beside those of ci/kernels.toml in" \
			"$(cut -d' ' -f1 "$archive/kernels" | sort -u | xargs)"
		return 0
	}
	while read -r pocket series version release flavour; do
		said="$series ($version) is in $pocket, not in the matrix"
		say "$said; building for it, log: $out/log/new-$series.log"
		if (try_series "$pocket" "$series") \
			>"$out/log/new-$series.log" 2>&1 </dev/null; then
			say "$said: builds"
		else
			say "$said: fails with: $(grep -m 1 -E \
				'warning:|error:|undefined!|probe.sh:|could not' \
				"$out/log/new-$series.log" ||
				tail -n 1 "$out/log/new-$series.log")"
			status=1
		fi
	done <<<"$found"
	return "$status"
}

# shellcheck shell=bash
# Which lines and branches of siw/proto the unit tests and the corpora reach
# together: all of them, or the stage fails.

cov_bin=$top/build/coverage/selftests
cov_out=$out/coverage

# What a program reaches, into $cov_out/NAME.profraw: cov_run NAME COMMAND...
cov_run() {
	local name=$1
	shift
	LLVM_PROFILE_FILE=$cov_out/$name.profraw nice "$@"
}

# The unit tests hold every function of siw/proto, so theirs is the map; what
# the fuzz targets reach in the same functions is in the counts.
cov_export() {
	llvm-profdata merge -sparse -o "$cov_out/all.profdata" \
		"$cov_out"/*.profraw || return 1
	llvm-cov export -format=lcov -instr-profile="$cov_out/all.profdata" \
		"$cov_bin/unit/siw_unit_test" "$top/siw/proto" \
		>"$cov_out/all.lcov"
}

# A table, and FILE:LINE of what was not reached.
cov_table() {
	awk -F '[:,]' -v top="$top/" '
		function row(name, l, lh, b, bh) {
			return sprintf("%-24s %5d of %5d lines" \
				" %5d of %5d branches", name, lh, l, bh, b)
		}
		$1 == "SF" {
			file = substr($2, length(top) + 1)
			lines = hit = branches = taken = 0
		}
		$1 == "DA" {
			lines++
			if ($3 + 0 > 0)
				hit++
			else
				missed[++n] = file ":" $2 ": not reached"
		}
		$1 == "BRDA" {
			branches++
			if ($5 + 0 > 0)
				taken++
			else
				missed[++n] = file ":" $2 ": branch not taken"
		}
		$1 == "end_of_record" && lines {
			print row(file, lines, hit, branches, taken) | "sort"
			l += lines; lh += hit; b += branches; bh += taken
		}
		END {
			close("sort")
			print row("siw/proto", l, lh, b, bh)
			for (i = 1; i <= n; i++)
				print missed[i]
			exit n || !l || !b
		}' "$cov_out/all.lcov"
}

stage_coverage() {
	local target status
	need clang cmake libclang-rt-dev libfmt-dev libgtest-dev libmnl-dev llvm \
		ninja-build nlohmann-json3-dev pkg-config
	clang_build coverage || return
	rm -rf "$cov_out"
	mkdir -p "$cov_out"
	check 'unit tests' cov_run unit "$cov_bin/unit/siw_unit_test" \
		--gtest_brief=1
	for target in $(fuzz_targets); do
		check "corpus $target" cov_run "$target" \
			"$cov_bin/fuzz/fuzz_$target" -runs=0 -timeout=60 \
			"$fuzz_corpus/$target"
	done
	check export cov_export || return
	check 'every line and branch of siw/proto' cov_table
	status=$?
	[ "$status" -ne 0 ] || cov_table
	return "$status"
}

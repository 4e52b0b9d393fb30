# shellcheck shell=bash
# What the stages fuzz and coverage share: the targets, by the names of their
# sources, and where their octets are.

fuzz_corpus=$top/selftests/fuzz/corpus

fuzz_targets() {
	local source
	for source in "$top"/selftests/fuzz/*_fuzz.cc; do
		basename "$source" _fuzz.cc
	done
}

# clang_build PRESET: configure and compile.
clang_build() {
	cd "$top" || return
	check configure cmake --preset "$1" &&
		check compile nice cmake --build --preset "$1" -j "$jobs"
}

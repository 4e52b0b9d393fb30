# shellcheck shell=bash
# What security/ says, and what is published of it.

# own_keyring, forget_keyring: gpg's home from here on, until it is forgotten. Its
# sockets want a short path.
own_keyring() {
	GNUPGHOME=$(mktemp -d)
	export GNUPGHOME
}

forget_keyring() {
	gpgconf --kill all
	rm -rf "$GNUPGHOME"
	unset GNUPGHOME
}

# test_key NAME GPG...: NAME@siw.invalid, which signs for a day, by that command.
test_key() {
	local name=$1
	shift
	"$@" --batch --quiet --passphrase '' --quick-generate-key \
		"$name, a throw-away key of siw <$name@siw.invalid>" \
		rsa3072 sign 1d
}

advisory_bin=$top/build/advisory/siw-advisory

advisory_tool_ready() {
	cd "$top" && quietly cmake -S tools/advisory -B build/advisory -G Ninja \
		-DCMAKE_BUILD_TYPE=Debug &&
		quietly nice cmake --build build/advisory
}

# The examples of tools/advisory/testdata as if they were real ones, beside all
# that is real.
advisory_examples() {
	local part root=$out/security-examples
	rm -rf "$root"
	mkdir -p "$root/tree"
	cp -r "$top/security" "$root/tree/" || return 1
	cp "$top"/tools/advisory/testdata/advisories/*.toml \
		"$root/tree/security/advisories/" || return 1
	for part in SECURITY.md docs selftests siw; do
		ln -s "$top/$part" "$root/tree/$part" || return 1
	done
	"$advisory_bin" --root "$root/tree" lint &&
		"$advisory_bin" --root "$root/tree" build --test --out "$root/site"
}

# The validator of the npm registry, at the versions that were pinned.
validator_ready() {
	local dir=$cache/csaf-validator
	cmp -s "$top/tools/advisory/validate/package-lock.json" \
		"$dir/node_modules/.pinned" && return
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/tools/advisory/validate/package*.json "$dir/" &&
		(cd "$dir" && quietly npm ci --ignore-scripts --no-audit --no-fund) &&
		cp "$dir/package-lock.json" "$dir/node_modules/.pinned"
}

# valid_by csaf.mjs|osv.mjs FILE...: node looks for packages beside the script.
valid_by() {
	local script=$1
	shift
	validator_ready && cp "$top"/tools/advisory/validate/*.mjs "$cache/csaf-validator/" &&
		node "$cache/csaf-validator/$script" "$@"
}

# osv_checked NAME FILE...: by the schema that SIW_OSV_SCHEMA names; no registry has it.
osv_checked() {
	local name=$1
	shift
	if [ -n "${SIW_OSV_SCHEMA:-}" ]; then
		check "$name" valid_by osv.mjs "$SIW_OSV_SCHEMA" "$@"
	else
		say "skip $name: SIW_OSV_SCHEMA is not set"
		say "skip $stage $name: SIW_OSV_SCHEMA is not set" >>"$results"
	fi
}

# A source that is wrong is refused: the check can fail.
advisory_refused() {
	local tree=$out/security-examples/tree said
	sed -i 's/^introduced = "0.2.0"/introduced = "0.1.3"/' \
		"$tree/security/advisories/SIW-2026-9001.toml"
	said=$("$advisory_bin" --root "$tree" lint) && return 1
	grep 'SIW-2026-9001.toml: affected\[1\]: its versions overlap' <<<"$said"
}

security_checks() {
	need cmake ninja-build g++ libcli11-dev libfmt-dev libtomlplusplus-dev \
		nlohmann-json3-dev
	check advisory-tool advisory_tool_ready || return
	check security-sources "$advisory_bin" --root "$top" lint
	check security-examples advisory_examples &&
		check security-refusal advisory_refused
}

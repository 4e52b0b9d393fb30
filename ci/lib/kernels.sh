# shellcheck shell=bash
# Rows and fields of kernels.toml.

kernel_table=$top/ci/kernels.toml

# rows TABLE: the names of its rows.
rows() {
	awk -F'"' -v table="[[$1]]" '
		/^\[\[/ { here = $0 == table }
		here && /^name/ { print $2 }' "$kernel_table"
}

# field TABLE NAME KEY
field() {
	awk -F'"' -v table="[[$1]]" -v name="$2" -v key="$3" '
		/^\[\[/ { here = 0; table_here = $0 == table }
		table_here && /^name/ && $2 == name { here = 1 }
		here && $1 ~ "^" key " *=" { print $2; exit }' \
		"$kernel_table"
}

kernel_field() { field kernel "$@"; }

# kernels TIER: the names of the rows of that tier.
kernels() {
	local name
	for name in $(rows kernel); do
		[ "$(kernel_field "$name" tier)" != "$1" ] || say "$name"
	done
}

# shellcheck shell=bash
# What lint checks of security/, and the CSAF validator of the npm registry,
# which a bare machine has to fetch.

stage_security() {
	command -v npm >/dev/null || need npm
	security_checks && check csaf-examples advisory_examples && {
		check csaf-valid valid_by csaf.mjs \
			"$out"/security-examples/site/.well-known/csaf/white/*/*.json
		osv_checked osv-valid "$out"/security-examples/site/osv/*.json
	}
}

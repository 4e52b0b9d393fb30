# SPDX-License-Identifier: GPL-2.0-only
# bash completion of siw(8)

_siw_ids() {
	local catalog=/usr/share/siw/catalog.json
	[ -r "$catalog" ] &&
		sed -n 's/^ *"id": "\(SIW-[A-Z0-9-]*\)",$/\1/p' "$catalog"
}

_siw() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local words=

	if [ "$COMP_CWORD" -eq 1 ]; then
		words='status doctor explain advisory report top trace --help --version'
	else
		case ${COMP_WORDS[1]}:$before in
		explain:--errno)
			words=$(errno -l 2>/dev/null | cut -d ' ' -f 1)
			;;
		explain:*)
			words="--json --journal --errno --help $(_siw_ids)"
			;;
		doctor:--level)
			words='quick net load'
			;;
		doctor:*)
			words='--json --level --peer --help'
			;;
		report:--output)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		report:*)
			words='--json --keep-addresses --output --help'
			;;
		top:--sort)
			words='rate ops retransmits rtt queue peer qp'
			;;
		top:*)
			words='--once --json --interval --sort --filter --help'
			;;
		trace:--opcode)
			words='WRITE READ READ_LOCAL_INV SEND SEND_REMOTE_INV RECEIVE LOCAL_INV REG_MR'
			;;
		trace:--pcap | trace:--write | trace:--events | trace:--perfetto)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		trace:*)
			words='--qp --peer --opcode --stag --seconds --perfetto --events --pcap --write --json --help'
			;;
		advisory:advisory)
			words='list check --help'
			;;
		advisory:* | status:*)
			words='--json --help'
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _siw siw

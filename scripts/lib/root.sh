# SPDX-License-Identifier: Apache-2.0
# A clean Debian 12 in a folder, from this machine's own mirror. Sourced.
suite=bookworm

mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		"Codename: $suite" 'Component: main' 2>/dev/null | head -n 1
}

make_root() { # folder, debootstrap's options...
	local root=$1 from
	shift
	from=$(mirror)
	[ -n "$from" ] || {
		echo "apt knows no mirror of $suite; run apt-get update" >&2
		return 1
	}
	debootstrap --variant=minbase "$@" "$suite" "$root" "$from" \
		>"$root.log" 2>&1 || {
		tail -n 5 "$root.log" >&2
		return 1
	}
}

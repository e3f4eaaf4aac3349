# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Installs npm packages for ./run and ./check. To be sourced after packages.sh.
# doc/dependencies.md gives the reason for each package.

npm_folders=(tools/astshm-export/page) # what is built in
npm_check_folders=("${npm_folders[@]}" tests/npm)

# A node from elsewhere brings its own npm, which Debian's conflicts with: only
# commands that are missing are installed.
install_node() {
	local missing=()
	command -v node >/dev/null || missing+=(nodejs)
	command -v npm >/dev/null || missing+=(npm)
	[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# Scripts of packages are not run; nothing is asked of the registry but the packages.
install_locked() { # FOLDER
	local lock=$1/package-lock.json stamp=$1/node_modules/.installed-lock
	cmp -s "$lock" "$stamp" && return
	echo "Installing the npm packages of $1"
	npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null &&
		cp "$lock" "$stamp"
}

# Nothing needs them: without them charts are plain, and tests that need them skip.
install_npm() { # FOLDER...
	local folder
	if ! install_node; then
		echo "Without node and npm: going on without npm packages" >&2
		return
	fi
	for folder; do
		install_locked "$folder" || echo "Going on without the npm packages of $folder" >&2
	done
}

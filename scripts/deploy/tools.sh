#!/usr/bin/env bash
# Installs the tools of the deployment tests into the user's cache directory, and missing Debian packages into the system.
#
# usage: scripts/deploy/tools.sh static   what `make test-deploy` needs
#        scripts/deploy/tools.sh engine   also what a private container engine needs (`make verify-compose`)
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/deploy/paths.sh

# The Debian release whose Docker plugins are used. They are unpacked rather than installed, so that the system is not changed.
PLUGINS_RELEASE=trixie

say() { echo "deploy tools: $*"; }
stop() {
  echo "deploy tools: $*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null; }

packages=()
want() { have "$1" || packages+=("${@:2}"); }

install_packages() {
  [ ${#packages[@]} -gt 0 ] || return 0
  local as_root=()
  have apt-get || stop "install these packages (Debian's names) with your package manager: ${packages[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    have sudo || stop "not root and no sudo: have an administrator run \`apt-get install ${packages[*]}\`."
    as_root=(sudo)
  fi
  say "installing from Debian: ${packages[*]}"
  "${as_root[@]}" apt-get update -q=2 || stop "apt-get update failed; see its messages above."
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q=2 --no-install-recommends "${packages[@]}" \
    </dev/null >"$DEPLOY_TOOLS/apt.log" 2>&1 ||
    stop "apt-get could not install ${packages[*]}; its messages are in $DEPLOY_TOOLS/apt.log"
}

# Prints the mirror that apt uses on this machine.
debian_mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -n1
}

# unpack <directory> <suffix> <package>...: downloads and extracts packages under DEPLOY_TOOLS without installing them.
unpack() {
  local directory=$DEPLOY_TOOLS/$1 suffix=$2 package
  shift 2
  mkdir -p "$directory/debs"
  for package in "$@"; do
    [ -e "$directory/$package.unpacked" ] && continue
    say "unpacking $package"
    rm -f "$directory/debs/${package}"_*.deb
    (cd "$directory/debs" && apt-get -o APT::Sandbox::User=root download -q=2 "$package$suffix" >/dev/null) || stop "apt-get cannot download $package$suffix."
    dpkg -x "$directory/debs/${package}"_*.deb "$directory/root"
    touch "$directory/$package.unpacked"
  done
}

# Packages of this machine's release, because they have to match its libraries.
unpack_own() {
  local as_root=()
  if ! apt-cache show "$1" >/dev/null 2>&1; then
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    "${as_root[@]}" apt-get update -q=2 || stop "apt-get update failed; see its messages above."
  fi
  unpack own "" "$@"
}

# Packages of PLUGINS_RELEASE, with package lists of their own.
unpack_plugins() {
  local root=$DEPLOY_TOOLS/$PLUGINS_RELEASE mirror
  mkdir -p "$root"/apt/{lists/partial,cache/archives/partial,etc/apt.conf.d,etc/preferences.d,etc/sources.list.d}
  if ! [ -e "$root/apt/ready" ]; then
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || stop "apt has no Debian mirror to download $* from: install docker compose and buildx yourself."
    cp -f /etc/apt/apt.conf.d/* "$root/apt/etc/apt.conf.d/" 2>/dev/null || true
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror%/} $PLUGINS_RELEASE main" \
      >"$root/apt/etc/sources.list"
    cat >"$root/apt/apt.conf" <<APT
Dir::Etc "$root/apt/etc"; Dir::Etc::sourcelist "$root/apt/etc/sources.list";
Dir::Etc::sourceparts "$root/apt/etc/sources.list.d";
Dir::State::lists "$root/apt/lists"; Dir::Cache "$root/apt/cache"; Acquire::Languages "none"; APT::Sandbox::User "root";
APT
    APT_CONFIG=$root/apt/apt.conf apt-get update -q=2 || stop "the package list of $PLUGINS_RELEASE cannot be read."
    touch "$root/apt/ready"
  fi
  APT_CONFIG=$root/apt/apt.conf unpack "$PLUGINS_RELEASE" "/$PLUGINS_RELEASE" "$@"
}

# Links Compose where the tests look for it: Debian's package, or on other systems the installed plugin.
compose_plugin() {
  local plugin=$DEPLOY_TOOLS/$PLUGINS_RELEASE/root/usr/libexec/docker/cli-plugins/docker-compose candidate
  mkdir -p "$DOCKER_CONFIG/cli-plugins"
  if grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
    unpack_plugins docker-compose
  else
    plugin=
    for candidate in "$HOME/.docker" /usr/local/lib/docker /usr/local/libexec/docker /usr/lib/docker /usr/libexec/docker; do
      if [ -x "$candidate/cli-plugins/docker-compose" ]; then plugin=$candidate/cli-plugins/docker-compose; fi
    done
    [ -n "$plugin" ] || stop "docker compose 2.24 or newer is missing: install it as Docker's documentation says."
  fi
  ln -sfn "$plugin" "$DOCKER_CONFIG/cli-plugins/docker-compose"
}

python_tools() {
  local list=k8s/tests/requirements.txt
  cmp -s "$list" "$DEPLOY_TOOLS/python/.installed" && return 0
  say "installing the checkers of chart and images from PyPI"
  rm -rf "$DEPLOY_TOOLS/python"
  /usr/bin/env python3 -m venv "$DEPLOY_TOOLS/python" || stop "python3 -m venv failed: install python3-venv."
  "$DEPLOY_TOOLS/python/bin/pip" install -q --disable-pip-version-check --only-binary=:all: --require-hashes -r "$list" ||
    stop "pip could not install the packages of $list; see its messages above."
  cp "$list" "$DEPLOY_TOOLS/python/.installed"
}

node_tools() {
  cmp -s k8s/tests/package-lock.json k8s/tests/node_modules/.installed-lock && return 0
  say "installing the npm packages of k8s/tests"
  npm ci --prefix k8s/tests --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error </dev/null ||
    stop "npm could not install the packages of k8s/tests; see its messages above."
  cp k8s/tests/package-lock.json k8s/tests/node_modules/.installed-lock
}

goal=${1:-static}
mkdir -p "$DEPLOY_TOOLS"
want shellcheck shellcheck
want node nodejs npm
want npm npm
want redis-server redis-server
/usr/bin/env python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
if [ "$goal" = engine ]; then
  want iptables iptables
  want debootstrap debootstrap
  want curl curl
fi
install_packages
have nginx || unpack_own nginx
python_tools
node_tools
compose_plugin
if [ "$goal" = engine ]; then
  unpack_plugins docker.io docker-cli containerd docker-buildx
  unpack_own runc tini
  ln -sfn tini "$DEPLOY_TOOLS/own/root/usr/bin/docker-init"
  ln -sfn "$DEPLOY_TOOLS/$PLUGINS_RELEASE/root/usr/libexec/docker/cli-plugins/docker-buildx" "$DOCKER_CONFIG/cli-plugins/"
fi

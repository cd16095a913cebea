#!/bin/sh
# Installs a lock into .venv, or into an environment below it: install.sh ENVIRONMENT LOCK
# With uv where there is one, which takes seconds. Else with the uv that pip installs into .venv,
# and where that cannot be, with pip.
set -eu

environment=$1 lock=$2
python=.venv/bin/python
# Settings of a user's shell must not lead elsewhere.
unset PIP_USER PIP_TARGET PIP_PREFIX UV_SYSTEM_PYTHON UV_TARGET UV_PREFIX

fail() {
  echo "$*" >&2
  exit 1
}

find_python() {
  for each in "${PYTHON:-python3.13}" python3.13 python3.12 python3.11 python3 python3.14; do
    "$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    each=
  done
  test -n "$each" || fail "Satchel needs Python 3.11 or later, and finds none. Install it, or name" \
    "one: make PYTHON=/path/to/python3.13 ..."
  echo "$each"
}

# uv needs no pip in the environment, and making an environment with pip takes seconds.
create() {
  if test "$environment" != .venv; then
    "$python" -m venv --without-pip "$environment"
    return
  fi
  base=$(find_python)
  echo "Installing into $environment with $base ..."
  if command -v uv >/dev/null; then
    "$base" -m venv --without-pip "$environment"
  else
    "$base" -c 'import ensurepip' 2>/dev/null || fail "$base has no ensurepip, so that there is no" \
      "pip. On Debian and Ubuntu: apt install python3-venv. Or install uv. Then try again."
    "$base" -m venv "$environment"
  fi
}

# Prints the path of uv. Its hashes are in the lock of everything.
find_uv() {
  command -v uv || command -v .venv/bin/uv && return
  # uv does not read where pip was told to find packages.
  ! "$python" -m pip config list 2>/dev/null | grep -q index || return
  awk '/^[^ ]/ { found = /^uv==/ } found' requirements.txt >.venv/uv.txt
  "$python" -m pip install --disable-pip-version-check --require-hashes --only-binary=:all: \
    --requirement .venv/uv.txt >&2 && echo .venv/bin/uv
}

install_with_uv() {
  uv=$(find_uv) && "$uv" pip install --python "$environment/bin/python" --require-hashes \
    --requirement "$lock"
}

# Bytecode is written at the first import: compiling everything takes a minute.
install_with_pip() {
  echo "Installing with pip, without uv. This takes a minute or two ..."
  "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null 2>&1 || return
  "$python" -m pip --python "$environment/bin/python" --disable-pip-version-check install \
    --no-compile --require-hashes --requirement "$lock"
}

# A container without an init keeps processes that ended as zombies.
runs() {
  test -n "$1" && kill -0 "$1" 2>/dev/null || return
  case $(ps -o stat= -p "$1" 2>/dev/null) in Z*) return 1 ;; esac
}

# An environment whose installation was interrupted may lack files that its records name.
unfinished=$environment/unfinished
if test -e "$unfinished"; then
  other=$(cat "$unfinished")
  ! runs "$other" || fail "Process $other is installing into $environment: wait for it, then try" \
    "again. If it is another program, delete $environment first."
  echo "The last installation did not end; beginning again."
  rm -rf "$environment"
fi
mkdir -p "$environment"
echo $$ >"$unfinished"
"$environment/bin/python" -c "" 2>/dev/null || create
install_with_uv || install_with_pip ||
  fail "The packages could not be installed; the lines above say why. Without a connection they" \
    "come only from the cache of uv or pip. Try again when it is there."
rm "$unfinished"

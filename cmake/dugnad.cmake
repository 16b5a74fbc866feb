# What every target of the project shares: warnings, sanitizers, the repository's root as the only include directory.

find_program(DUGNAD_CCACHE ccache)
if(DUGNAD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DUGNAD_CCACHE})
endif()

list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(dugnad_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                           -ffp-contract=off)
  if(DUGNAD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${DUGNAD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${DUGNAD_SANITIZE})
  endif()
  if(DUGNAD_FUZZ)  # coverage for libFuzzer, without its main; tests/fuzz adds that to the fuzz targets
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    target_link_options(${target} PUBLIC -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# dugnad_library(name SOURCES a.cpp... [PUBLIC lib...] [PRIVATE lib...]): one folder, one static library.
function(dugnad_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  dugnad_flags(${name})
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# dugnad_program(name SOURCES a.cpp... LIBS lib...).
function(dugnad_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  dugnad_flags(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
endfunction()

# dugnad_test(name SOURCES a.cpp... LIBS lib... [LABEL label] [TIMEOUT seconds]): a doctest program that CTest runs.
function(dugnad_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  dugnad_program(${name} SOURCES ${ARG_SOURCES} LIBS ${ARG_LIBS} dugnad_test_main)
  add_test(NAME ${name} COMMAND ${name})
  if(ARG_LABEL)
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL})
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  if(DUGNAD_SANITIZE STREQUAL "thread")
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp atexit_sleep_ms=0")
  endif()
endfunction()

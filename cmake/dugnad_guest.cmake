# Guest programs: C and C++ compiled to WebAssembly modules that any donor runs. The project's own compiler stays what it is; guests are made by
# clang through custom commands.
#
#   dugnad_add_guest(NAME source... [COMMAND|REACTOR] [SIMD] [INCLUDES dir...] [OPTIONS option...])
#
# makes the target NAME and the module ${CMAKE_BINARY_DIR}/guests/NAME.wasm, which is also the target's property DUGNAD_GUEST_FILE.
#   REACTOR  (the default) a unit is a function from bytes to bytes: dugnad_guest.h, dugnad_guest.hpp
#   COMMAND  an ordinary program with a main, whose unit is its standard input and arguments
#   SIMD     with -msimd128
#   OPTIONS  go to every source's compilation, behind the function's own
#
# DUGNAD_GUESTS: AUTO makes guests where a compiler for them is found, and else says what is missing and makes no targets; ON insists; OFF
# makes none. DUGNAD_GUEST_CC and DUGNAD_GUEST_CXX name the compilers. DUGNAD_GUESTS_FOUND says whether there are any.

set(DUGNAD_GUESTS AUTO CACHE STRING "Build guest programs: AUTO where clang can make WebAssembly, ON or OFF")
set_property(CACHE DUGNAD_GUESTS PROPERTY STRINGS AUTO ON OFF)

# Where dugnad_guest.h lies: an installed package has said so before it included this file.
if(NOT DUGNAD_GUEST_INCLUDE_DIR)
  get_filename_component(DUGNAD_GUEST_INCLUDE_DIR ${CMAKE_CURRENT_LIST_DIR}/../sdk/guest ABSOLUTE)
endif()

set(dugnad_guest_packages "clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32")
# The stack lies first, so that one that overflows traps instead of overwriting data.
set(dugnad_guest_link -Wl,--stack-first,-z,stack-size=262144,--strip-all)

# Tries the compilers once for each pair of them: both kinds of a program, C and C++.
function(dugnad_find_guest_compiler)
  set(names)
  foreach(version RANGE 22 15 -1)
    list(APPEND names clang-${version})
  endforeach()
  find_program(DUGNAD_GUEST_CC NAMES ${names} clang DOC "C compiler for guest programs")
  list(TRANSFORM names REPLACE "^clang" "clang++")
  find_program(DUGNAD_GUEST_CXX NAMES ${names} clang++ DOC "C++ compiler for guest programs")
  mark_as_advanced(DUGNAD_GUEST_CC DUGNAD_GUEST_CXX)
  set(tried "${DUGNAD_GUEST_CC} ${DUGNAD_GUEST_CXX}")
  if(DUGNAD_GUESTS_TRIED STREQUAL tried AND DUGNAD_GUESTS_WORK)
    return()
  endif()

  set(reason "")
  if(NOT DUGNAD_GUEST_CC OR NOT DUGNAD_GUEST_CXX)
    set(reason "there is no clang")
  else()
    set(trial ${CMAKE_BINARY_DIR}/CMakeFiles/dugnad_guest_trial)
    file(WRITE ${trial}/trial.c "#include <stdio.h>\nint main(void) { puts(\"\"); }\n")
    file(WRITE ${trial}/trial.cpp "#include <string>\nint main(int argc, char**) { return std::to_string(argc).size() > 1; }\n")
    foreach(compiler IN ITEMS "${DUGNAD_GUEST_CC} trial.c" "${DUGNAD_GUEST_CXX} -std=c++20 -fno-exceptions trial.cpp")
      separate_arguments(compiler)
      execute_process(COMMAND ${compiler} --target=wasm32-wasi -O2 ${dugnad_guest_link} -o trial.wasm
        WORKING_DIRECTORY ${trial} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said)
      if(failed)
        string(REGEX REPLACE "\n.*" "" said "${said}")
        list(GET compiler 0 compiler)
        set(reason "${compiler} makes no WebAssembly: ${said}")
        break()
      endif()
    endforeach()
  endif()

  set(DUGNAD_GUESTS_TRIED "${tried}" CACHE INTERNAL "")
  if(reason STREQUAL "")
    set(DUGNAD_GUESTS_WORK TRUE CACHE INTERNAL "")
    message(STATUS "dugnad: guest programs are built with ${DUGNAD_GUEST_CXX}")
    return()
  endif()
  set(DUGNAD_GUESTS_WORK FALSE CACHE INTERNAL "")
  set(advice "On Debian: apt-get install ${dugnad_guest_packages}. DUGNAD_GUEST_CC and DUGNAD_GUEST_CXX name other compilers.")
  if(DUGNAD_GUESTS STREQUAL "AUTO")
    message(STATUS "dugnad: no guest programs are built: ${reason}. ${advice}")
  else()
    message(FATAL_ERROR "dugnad: guest programs are wanted (DUGNAD_GUESTS=${DUGNAD_GUESTS}), but ${reason}. ${advice}")
  endif()
endfunction()

set(DUGNAD_GUESTS_FOUND FALSE)
if(DUGNAD_GUESTS)  # AUTO is true as well
  dugnad_find_guest_compiler()
  set(DUGNAD_GUESTS_FOUND ${DUGNAD_GUESTS_WORK})
endif()

function(dugnad_add_guest name)
  cmake_parse_arguments(ARG "COMMAND;REACTOR;SIMD" "" "INCLUDES;OPTIONS" ${ARGN})
  if(ARG_COMMAND AND ARG_REACTOR)
    message(FATAL_ERROR "dugnad_add_guest(${name}): a guest is a COMMAND or a REACTOR")
  endif()
  if(NOT ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dugnad_add_guest(${name}) has no sources")
  endif()
  if(NOT DUGNAD_GUESTS_FOUND)
    return()
  endif()

  set(flags --target=wasm32-wasi -O2 -ffp-contract=off -Wall -Wextra -I${DUGNAD_GUEST_INCLUDE_DIR})
  if(ARG_SIMD)
    list(APPEND flags -msimd128)
  endif()
  foreach(directory IN LISTS ARG_INCLUDES)
    get_filename_component(directory ${directory} ABSOLUTE)
    list(APPEND flags -I${directory})
  endforeach()
  list(APPEND flags ${ARG_OPTIONS})

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.guest)
  set(module ${CMAKE_BINARY_DIR}/guests/${name}.wasm)
  file(MAKE_DIRECTORY ${folder} ${CMAKE_BINARY_DIR}/guests)
  set(linker ${DUGNAD_GUEST_CC})
  set(objects)
  foreach(source IN LISTS ARG_UNPARSED_ARGUMENTS)
    get_filename_component(path ${source} ABSOLUTE)
    # Two sources of one name in different folders have different objects.
    string(MD5 tag ${path})
    string(SUBSTRING ${tag} 0 8 tag)
    get_filename_component(file ${source} NAME)
    set(object ${folder}/${file}.${tag}.o)
    set(compiler ${CMAKE_CXX_COMPILER_LAUNCHER})
    if(file MATCHES "\\.c$")
      list(APPEND compiler ${DUGNAD_GUEST_CC} -std=c17)
    else()
      list(APPEND compiler ${DUGNAD_GUEST_CXX} -std=c++20 -fno-exceptions -fno-rtti)
      set(linker ${DUGNAD_GUEST_CXX})
    endif()
    add_custom_command(OUTPUT ${object}
      COMMAND ${compiler} ${flags} -MD -MT ${object} -MF ${object}.d -c ${path} -o ${object}
      DEPENDS ${path} DEPFILE ${object}.d
      COMMENT "Building guest object ${name}/${file}" VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(kind)
  if(NOT ARG_COMMAND)
    set(kind -nostartfiles -Wl,--no-entry)
  endif()
  add_custom_command(OUTPUT ${module}
    COMMAND ${linker} --target=wasm32-wasi -O2 ${kind} ${objects} -o ${module} ${dugnad_guest_link}
    DEPENDS ${objects} COMMENT "Linking guest guests/${name}.wasm" VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${module})
  set_target_properties(${name} PROPERTIES DUGNAD_GUEST_FILE ${module})
endfunction()

# Debian's libnode, for the V8 in it: the installed libnode-dev, or the copy that scripts/packages.sh unpacked into .cache/libnode because a
# third-party Node.js stands in apt's way. That one's headers in /usr/include/node belong to another V8, so that a directory counts only
# with V8 10.2 in its headers and the library beside it.
#   Libnode::V8                           the imported target
#   dugnad_ship_libnode(target directory) on install, puts an unpacked library beside the program; an installed package's is found anyhow
include(FindPackageHandleStandardArgs)

set(Libnode_V8_VERSION_WANTED 10.2)
foreach(Libnode_root /usr ${PROJECT_SOURCE_DIR}/.cache/libnode/usr)
  unset(Libnode_INCLUDE_DIR)
  unset(Libnode_LIBRARY)
  find_path(Libnode_INCLUDE_DIR v8-version.h PATHS ${Libnode_root}/include/node NO_DEFAULT_PATH NO_CACHE)
  find_library(Libnode_LIBRARY libnode.so.108 PATHS ${Libnode_root}/lib/${CMAKE_LIBRARY_ARCHITECTURE} ${Libnode_root}/lib NO_DEFAULT_PATH NO_CACHE)
  if(NOT Libnode_INCLUDE_DIR OR NOT Libnode_LIBRARY)
    continue()
  endif()
  file(READ ${Libnode_INCLUDE_DIR}/v8-version.h Libnode_header)
  string(REGEX REPLACE ".*V8_MAJOR_VERSION ([0-9]+).*V8_MINOR_VERSION ([0-9]+).*" "\\1.\\2" Libnode_VERSION "${Libnode_header}")
  if(Libnode_VERSION STREQUAL Libnode_V8_VERSION_WANTED)
    break()
  endif()
  set(Libnode_LIBRARY Libnode_LIBRARY-NOTFOUND)
endforeach()

# What the library says of itself, once: headers of one V8 and the code of another would crash, or worse, not crash.
if(Libnode_LIBRARY AND NOT DEFINED CMAKE_CROSSCOMPILING_EMULATOR AND NOT CMAKE_CROSSCOMPILING
   AND NOT "${Libnode_LIBRARY}" STREQUAL "${Libnode_ASKED}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/libnode_version.cpp @ONLY
       CONTENT "#include <v8.h>\n#include <cstdio>\nint main() { std::puts(v8::V8::GetVersion()); }\n")
  unset(Libnode_ran CACHE)
  unset(Libnode_compiled CACHE)
  try_run(Libnode_ran Libnode_compiled ${CMAKE_BINARY_DIR}/CMakeFiles/libnode_version ${CMAKE_BINARY_DIR}/CMakeFiles/libnode_version.cpp
          CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${Libnode_INCLUDE_DIR} LINK_LIBRARIES ${Libnode_LIBRARY}
          CXX_STANDARD 20 COMPILE_OUTPUT_VARIABLE Libnode_compiler_said RUN_OUTPUT_VARIABLE Libnode_said)
  if(NOT Libnode_compiled)
    message(FATAL_ERROR "libnode cannot be linked:\n${Libnode_compiler_said}")
  endif()
  if(NOT "${Libnode_said}" MATCHES "^10\\.2\\.")
    message(FATAL_ERROR "${Libnode_LIBRARY} says that its V8 is '${Libnode_said}', but the engine is written for 10.2 (libnode108 of Debian 12)")
  endif()
  set(Libnode_ASKED ${Libnode_LIBRARY} CACHE INTERNAL "The library that said the right version")
endif()

find_package_handle_standard_args(Libnode REQUIRED_VARS Libnode_LIBRARY Libnode_INCLUDE_DIR VERSION_VAR Libnode_VERSION
                                  REASON_FAILURE_MESSAGE "run scripts/packages.sh build")
if(Libnode_FOUND AND NOT TARGET Libnode::V8)
  add_library(Libnode::V8 SHARED IMPORTED)
  set_target_properties(Libnode::V8 PROPERTIES IMPORTED_LOCATION ${Libnode_LIBRARY}
                                               INTERFACE_INCLUDE_DIRECTORIES ${Libnode_INCLUDE_DIR})
endif()

function(dugnad_ship_libnode target directory)
  if(Libnode_LIBRARY MATCHES "/\\.cache/libnode/")
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN")
    install(FILES ${Libnode_LIBRARY} DESTINATION ${directory})
  endif()
endfunction()

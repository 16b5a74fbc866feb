# Installs what others build against: the headers that <dugnad/...> reaches, all static libraries, a CMake package and two pkg-config files.
#   cmake --install BUILD --component sdk
include(CMakePackageConfigHelpers)

set(libraries dugnad_sdk dugnad_run_worker dugnad_hosted dugnad_node dugnad_executor dugnad_cage_wire
  dugnad_zmq dugnad_store dugnad_core dugnad_tasks dugnad_guest_pass dugnad_command_unit dugnad_base)
foreach(library IN LISTS libraries)
  string(REPLACE dugnad_ "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
endforeach()
set_target_properties(dugnad_run_worker PROPERTIES EXPORT_NAME worker)

# Two directories: <dugnad/swarm.h> is found in the first; what it includes of ours keeps its path from our root, and is found in the second.
install(TARGETS ${libraries} EXPORT dugnad COMPONENT sdk
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${CMAKE_INSTALL_INCLUDEDIR}/dugnad)
install(DIRECTORY include/dugnad/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dugnad COMPONENT sdk FILES_MATCHING PATTERN "*.h")
foreach(header IN ITEMS coordinatorless/base/bytes.h coordinatorless/base/ids.h coordinatorless/base/panic.h coordinatorless/base/result.h
                        tasks/task.h tasks/wire.h tasks/wasm/command_unit.h worker/run_worker.h)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/dugnad/${folder} COMPONENT sdk)
endforeach()

# For guest programs, which see these two headers and none of the above.
set(guest_dir ${CMAKE_INSTALL_INCLUDEDIR}/dugnad/guest)
install(FILES guest/dugnad_guest.h guest/dugnad_guest.hpp DESTINATION ${guest_dir} COMPONENT sdk)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/dugnad)
install(EXPORT dugnad NAMESPACE dugnad:: FILE dugnad-targets.cmake DESTINATION ${package_dir} COMPONENT sdk)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/dugnad-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/dugnad-config.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS guest_dir)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/dugnad-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/dugnad-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/dugnad-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/dugnad_guest.cmake
  DESTINATION ${package_dir} COMPONENT sdk)

# Only static libraries are installed, so that what they need is needed by whoever links them, `pkg-config --static` or not.
set(pc_below "-ldugnad_hosted -ldugnad_node -ldugnad_executor -ldugnad_cage_wire")
string(APPEND pc_below " -ldugnad_zmq -ldugnad_store -ldugnad_core -ldugnad_tasks -ldugnad_guest_pass -ldugnad_command_unit -ldugnad_base")
string(APPEND pc_below " -lwabt -lzstd -lzmq -ltbb -lsqlite3 -lsodium -pthread")
# From where they lie, so that an installation can be moved.
file(RELATIVE_PATH pc_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_up "${pc_up}")
foreach(pc IN ITEMS dugnad dugnad-worker)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${pc}.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
endforeach()

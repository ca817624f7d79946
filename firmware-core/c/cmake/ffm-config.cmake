# find_package(ffm CONFIG) finds this file with -Dffm_DIR=<export>/cmake, and makes the target ffm::ffm.
# FFM_TARGET is the folder under lib, where the export has several: -DFFM_TARGET=thumbv7em-none-eabihf.
get_filename_component(_ffm_root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

if(NOT FFM_TARGET)
  file(GLOB _ffm_targets RELATIVE "${_ffm_root}/lib" "${_ffm_root}/lib/*")
  list(LENGTH _ffm_targets _ffm_count)
  if(NOT _ffm_count EQUAL 1)
    string(REPLACE ";" ", " _ffm_targets "${_ffm_targets}")
    message(FATAL_ERROR "ffm was exported for several targets (${_ffm_targets}). Choose one with -DFFM_TARGET=…")
  endif()
  set(FFM_TARGET "${_ffm_targets}")
endif()

set(_ffm_library "${_ffm_root}/lib/${FFM_TARGET}/libffm.a")
if(NOT EXISTS "${_ffm_library}")
  message(FATAL_ERROR "ffm was not exported for ${FFM_TARGET}. Type: cargo xtask export-c --target ${FFM_TARGET} --out ${_ffm_root}")
endif()

if(NOT TARGET ffm::ffm)
  add_library(ffm::ffm STATIC IMPORTED)
  set_target_properties(ffm::ffm PROPERTIES
    IMPORTED_LOCATION "${_ffm_library}"
    INTERFACE_INCLUDE_DIRECTORIES "${_ffm_root}/include")
  # The library of a computer uses its system; that of a microcontroller needs nothing.
  if(NOT FFM_TARGET MATCHES "-none")
    find_package(Threads REQUIRED)
    set_target_properties(ffm::ffm PROPERTIES INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
  endif()
endif()

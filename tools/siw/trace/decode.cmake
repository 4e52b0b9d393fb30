# SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
# What reads the octets of a capture; it is fuzzed as well (selftests/fuzz).
add_library(siw_decode STATIC
  ${CMAKE_CURRENT_LIST_DIR}/decode.cc
  ${CMAKE_CURRENT_LIST_DIR}/header.cc
  ${CMAKE_CURRENT_LIST_DIR}/packet.cc
  ${CMAKE_CURRENT_LIST_DIR}/reassembly.cc)
target_include_directories(siw_decode PUBLIC
  ${CMAKE_CURRENT_LIST_DIR}/../../..)
target_link_libraries(siw_decode PRIVATE siw_proto)

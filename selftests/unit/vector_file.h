// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// selftests/vectors/vectors.json, as tests want it.
#ifndef SIW_SELFTESTS_UNIT_VECTOR_FILE_H_
#define SIW_SELFTESTS_UNIT_VECTOR_FILE_H_

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "context.h"

namespace siw {

struct Vector {
  std::string id;
  nlohmann::json json;
};

// What GoogleTest prints for a parameter.
inline void PrintTo(const Vector& vector, std::ostream* os) {
  *os << vector.id << ": " << vector.json.value("title", "");
}

// All vectors of a kind, in the order of the file; "" for every kind.
std::vector<Vector> Vectors(const std::string& kind);

// The default context with the vector's own laid over it.
Context ContextOf(const Vector& vector);

// A vector's id as GoogleTest accepts it for a name.
std::string TestName(const std::string& id);

}  // namespace siw

#endif  // SIW_SELFTESTS_UNIT_VECTOR_FILE_H_

// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Writes siw/tests/vectors.inc to standard output.
#include <cstdio>

#include "vectors_inc.h"

int main() { return std::fputs(siw::VectorsInc().c_str(), stdout) < 0; }

// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// The protocol headers of the driver, as C++ sees them.
#ifndef SIW_SELFTESTS_MODEL_PROTO_H_
#define SIW_SELFTESTS_MODEL_PROTO_H_

extern "C" {
#include "access.h"
#include "ddp.h"
#include "fault.h"
#include "mpa_frame.h"
#include "mpa_rx.h"
#include "mpa_setup.h"
#include "qp_fsm.h"
#include "rdmap.h"
#include "rfc7306.h"
#include "ring.h"
#include "wire.h"
}

#endif  // SIW_SELFTESTS_MODEL_PROTO_H_

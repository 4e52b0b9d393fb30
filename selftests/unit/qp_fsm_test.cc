// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "proto.h"

namespace siw {
namespace {

constexpr auto I = SIW_QP_IDLE, R = SIW_QP_RTS, C = SIW_QP_CLOSING,
               T = SIW_QP_TERMINATE, E = SIW_QP_ERROR;
constexpr auto X = static_cast<siw_qp_state>(SIW_QP_REFUSED);

// Rows: states. Columns: start, close, closed, peer closed, fault, Terminate
// sent, Terminate received, lost, fail, reset.
constexpr siw_qp_state kNext[SIW_QP_STATES][SIW_QP_EVENTS] = {
    /* IDLE      */ {R, I, I, E, T, X, E, E, E, I},
    /* RTS       */ {X, C, E, C, T, X, E, E, E, I},
    /* CLOSING   */ {X, C, E, C, T, X, E, E, E, I},
    /* TERMINATE */ {X, T, E, T, T, E, E, E, E, I},
    /* ERROR     */ {X, E, E, E, E, E, E, E, E, I},
};

std::vector<siw_qp_state> States() { return {I, R, C, T, E}; }
std::vector<siw_qp_event> Events() {
  std::vector<siw_qp_event> out;
  for (int ev = 0; ev < SIW_QP_EVENTS; ++ev) {
    out.push_back(static_cast<siw_qp_event>(ev));
  }
  return out;
}

TEST(QpNext, IsTheTable) {
  for (const siw_qp_state state : States()) {
    for (const siw_qp_event ev : Events()) {
      EXPECT_EQ(kNext[state][ev], siw_qp_next(state, ev))
          << siw_qp_state_name(state) << ", event " << ev;
    }
  }
}

TEST(QpNext, GetsNobodyOutOfErrorButByReset) {
  for (const siw_qp_event ev : Events()) {
    const siw_qp_state next = siw_qp_next(E, ev);
    if (ev != SIW_QP_EV_RESET) {
      EXPECT_TRUE(next == E || next == X);
    }
  }
}

TEST(QpNext, StartsWorkOnlyFromIdle) {
  for (const siw_qp_state state : States()) {
    for (const siw_qp_event ev : Events()) {
      if (siw_qp_next(state, ev) == R) {
        EXPECT_EQ(I, state);
        EXPECT_EQ(SIW_QP_EV_START, ev);
      }
    }
  }
}

TEST(QpNext, ReachesErrorWhateverThePeerDoesOrFailsToDo) {
  for (const siw_qp_state state : States()) {
    EXPECT_EQ(E, siw_qp_next(state, SIW_QP_EV_LOST));
    EXPECT_EQ(E, siw_qp_next(state, SIW_QP_EV_FAIL));
    EXPECT_EQ(E, siw_qp_next(state, SIW_QP_EV_TERM_RCVD));
    EXPECT_EQ(I, siw_qp_next(state, SIW_QP_EV_RESET));
  }
}

TEST(QpStateName, IsThereForEveryStateAndUnique) {
  std::set<std::string> names;
  for (const siw_qp_state state : States()) {
    EXPECT_TRUE(names.insert(siw_qp_state_name(state)).second);
  }
  EXPECT_STREQ("REFUSED", siw_qp_state_name(X));
}

}  // namespace
}  // namespace siw

// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "selftests/conform/shots.h"

namespace siw::conform {

void Shoot(Stage& s, const std::function<std::vector<Shot>(Stage&)>& make,
           const Application& app) {
  for (size_t i = 0, n = 1; i < n; ++i) {
    s.Scene("");
    if (!s.RespondFull(app)) return;
    const std::vector<Shot> shots = make(s);
    n = shots.size();
    const Shot& shot = shots[i];
    Bytes stream;
    for (const Bytes& ulpdu : shot.before) Append(stream, Fpdu(ulpdu));
    Append(stream, Fpdu(shot.ulpdu));
    std::vector<Code> codes = {shot.code};
    codes.insert(codes.end(), shot.also.begin(), shot.also.end());
    const size_t failures = s.failures().size();
    if (s.Put(stream)) {
      s.ExpectTerminate(codes, shot.ulpdu);
      s.ExpectFin();
      s.ExpectAsync();
      s.ExpectEvent("DISCONNECTED");
      if (shot.before.empty()) s.ExpectUntouched(0, kBuffer);
    }
    if (s.failures().size() > failures) s.Fail("that was: " + shot.name);
  }
}

}  // namespace siw::conform

// SPDX-License-Identifier: MIT-0
// Writes to the server's page, and asks what is there.
#include <algorithm>
#include <cstdio>

#include "siw/easy.hpp"

int main(int argc, char** argv) try {
  if (argc < 2) throw siw::Error("usage: easy_client ADDRESS [COUNT]");
  const unsigned long count = argc > 2 ? std::stoul(argv[2]) : 100;
  siw::Connection server = siw::Connection::To(argv[1], "7490");
  const siw::Loan loan = siw::Loan::Unpack(server.Receive().value_or(""));
  siw::Memory page = server.Allocate(4096);
  std::puts("connected");
  std::fflush(stdout);
  for (unsigned long i = 0; i < count; ++i) {
    std::ranges::fill(page.bytes(), static_cast<char>('a' + i % 26));
    server.Write(page, loan);
    server.Send("page " + std::to_string(i));
    if (server.Receive().value_or(" ").back() != page.bytes()[0])
      throw siw::Error("the server has another page");
  }
  server.Close();
  std::printf("%lu pages\n", count);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "easy_client: %s\n", error.what());
  return 1;
}

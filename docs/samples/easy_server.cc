// SPDX-License-Identifier: MIT-0
// A page that clients may write to, one client after the other.
#include <cstdio>

#include "siw/easy.hpp"

static void Serve(siw::Connection client) {
  siw::Memory page = client.AllocateWritable(4096);
  client.Send(page.Lend().Pack());
  while (auto note = client.Receive())
    client.Send(*note + ": " + page.bytes()[0]);
  client.Close();
}

int main(int argc, char** argv) try {
  if (argc != 2) throw siw::Error("usage: easy_server ADDRESS");
  siw::Listener listener(argv[1], "7490");
  std::puts("listening");
  for (;;) {
    std::fflush(stdout);
    try {
      Serve(listener.Accept());
      std::puts("a client has said goodbye");
    } catch (const siw::Error& error) {
      std::printf("a client: %s\n", error.what());
    }
  }
} catch (const siw::Error& error) {
  std::fprintf(stderr, "easy_server: %s\n", error.what());
  return 1;
}

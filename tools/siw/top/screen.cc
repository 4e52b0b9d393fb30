// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
#include "tools/siw/top/screen.h"

#include <curses.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdio>

#include "tools/common/host.h"
#include "tools/siw/output.h"

namespace siw::top {
namespace {

constexpr int kEscape = 27;
constexpr int kDelete = 127;

// Puts the terminal back whatever happens.
class Terminal {
 public:
  Terminal() : screen_(newterm(nullptr, stdout, stdin)) {
    if (!screen_) return;
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
  }
  ~Terminal() {
    if (!screen_) return;
    endwin();
    delscreen(screen_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  bool ok() const { return screen_ != nullptr; }

 private:
  SCREEN* screen_;
};

std::string NameOf(SortKey key) {
  for (const auto& [name, value] : SortKeys())
    if (value == key) return name;
  return "";
}

std::string Head(const Settings& settings) {
  if (settings.typing) return "filter: " + settings.filter + "_";
  return fmt::format(
      "siw top{}  sort (t o r l u p n): {}{}  R reverse  / filter{}  space {}  "
      "q quit",
      settings.paused ? " (paused)" : "", NameOf(settings.key),
      settings.reverse ? ", reversed" : "",
      settings.filter.empty() ? "" : ": " + settings.filter,
      settings.paused ? "go on" : "pause");
}

void Draw(View view, const Settings& settings) {
  if (!settings.filter.empty()) Filter(settings.filter, &view);
  Sort(settings.key, settings.reverse, &view);
  erase();
  const int height = getmaxy(stdscr);
  const int width = getmaxx(stdscr);
  attron(A_REVERSE);
  mvaddnstr(0, 0, Printable(Head(settings)).c_str(), width);
  attroff(A_REVERSE);
  const size_t above = view.devices.size() + view.unseen.size() + 3;
  const auto room = static_cast<size_t>(height);
  int line = 1;
  for (const std::string& text :
       Lines(ViewText(view, room > above ? room - above : 1))) {
    if (line >= height) break;
    mvaddnstr(line++, 0, text.c_str(), width);
  }
  refresh();
}

// Then no key comes any more, and nothing waits for one.
bool IsTerminalGone() {
  pollfd input = {STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0 &&
         (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void TakeTyped(int key, Settings* settings) {
  if (key == '\n' || key == KEY_ENTER || key == kEscape) {
    if (key == kEscape) settings->filter.clear();
    settings->typing = false;
  } else if (key == KEY_BACKSPACE || key == kDelete || key == '\b') {
    if (!settings->filter.empty()) settings->filter.pop_back();
  } else if (key >= ' ' && key < kDelete) {
    settings->filter += static_cast<char>(key);
  }
}

}  // namespace

bool TakeKey(int key, Settings* settings) {
  if (settings->typing) {
    TakeTyped(key, settings);
    return true;
  }
  switch (key) {
    case 'q':
      return false;
    case 't':
      settings->key = SortKey::kRate;
      break;
    case 'o':
      settings->key = SortKey::kOps;
      break;
    case 'r':
      settings->key = SortKey::kRetransmits;
      break;
    case 'l':
      settings->key = SortKey::kRtt;
      break;
    case 'u':
      settings->key = SortKey::kQueue;
      break;
    case 'p':
      settings->key = SortKey::kPeer;
      break;
    case 'n':
      settings->key = SortKey::kQp;
      break;
    case 'R':
      settings->reverse = !settings->reverse;
      break;
    case '/':
      settings->filter.clear();
      settings->typing = true;
      break;
    case ' ':
      settings->paused = !settings->paused;
      break;
    default:
      break;
  }
  return true;
}

Status Run(const std::function<View()>& next, int milliseconds,
           Settings settings) {
  using Clock = std::chrono::steady_clock;
  std::setlocale(LC_CTYPE, "");
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
    return Error{"this is no terminal: siw top --once"};
  const Terminal terminal;
  if (!terminal.ok())
    return Error{"no terminal that curses knows: siw top --once"};
  View view = next();
  auto due = Clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    Draw(view, settings);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        due - Clock::now());
    timeout(left.count() > 0 ? static_cast<int>(left.count()) : 0);
    const int key = getch();
    if (key != ERR && !TakeKey(key, &settings)) return Done{};
    if (key == ERR && IsTerminalGone()) return Error{"the terminal is gone"};
    if (Clock::now() < due) continue;
    if (!settings.paused) view = next();
    due = Clock::now() + std::chrono::milliseconds(milliseconds);
  }
}

}  // namespace siw::top

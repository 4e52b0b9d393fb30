// A value, or the reason why there is none.
#ifndef SIW_TOOLS_COMMON_RESULT_H_
#define SIW_TOOLS_COMMON_RESULT_H_

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace siw {

// Names the object and what is wrong with it; shown to the user as it is.
struct Error {
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  T& operator*() { return std::get<T>(state_); }
  const T& operator*() const { return std::get<T>(state_); }
  T* operator->() { return &std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }

  const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

// For a step that yields nothing but success.
struct Done {};
using Status = Result<Done>;

// "what: strerror(errno)"
inline Error ErrnoError(std::string_view what) {
  return Error{std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_RESULT_H_

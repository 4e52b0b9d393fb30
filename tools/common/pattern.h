// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
// Message patterns of the catalogue: literal text with {fields}.
#ifndef SIW_TOOLS_COMMON_PATTERN_H_
#define SIW_TOOLS_COMMON_PATTERN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace siw {

struct Field {
  std::string name;
  std::string value;
};
using Fields = std::vector<Field>;

// Literal text and fields in turn; a field has no text of its own.
struct Piece {
  bool is_field = false;
  std::string text;  // the literal, or the name of the field
};

class Pattern {
 public:
  // "QP {qp}, peer {peer}"; no value if a brace is left open, a field has no
  // name, or two fields stand side by side.
  static std::optional<Pattern> Parse(std::string_view text);

  // The whole of `text`. A field takes at least one octet, as few as will do,
  // and has to look like what its name says (see FieldAccepts).
  std::optional<Fields> Match(std::string_view text) const;

  const std::vector<Piece>& pieces() const { return pieces_; }
  // Octets of literal text: of two patterns that match, the one with more
  // says more.
  size_t weight() const { return weight_; }

 private:
  std::vector<Piece> pieces_;
  size_t weight_ = 0;
};

// qp, errno, signal and the like are numbers, stag is hexadecimal, peer and
// device have no blank; any other field is free text.
bool FieldAccepts(std::string_view name, std::string_view value);

}  // namespace siw

#endif  // SIW_TOOLS_COMMON_PATTERN_H_

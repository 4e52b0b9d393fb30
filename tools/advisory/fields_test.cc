#include "tools/advisory/fields.h"

#include "tools/advisory/fixture.h"

namespace siw::advisory {
namespace {

class FieldsTest : public testing::Test {
 protected:
  // Reads `text` by `read`, and gives the problems.
  template <typename F>
  Said Read(const std::string& text, F read) {
    Problems problems;
    const auto table = ParseToml(text, "f.toml", &problems);
    if (table) {
      Fields fields(*table, "f.toml", "", &problems);
      read(&fields);
    }
    return Lines(problems);
  }
};

TEST_F(FieldsTest, NamesTheLineOfASyntaxError) {
  const Said said = Read("a = 1\nb = = 2\n", [](Fields*) {});
  ASSERT_EQ(1u, said.size());
  EXPECT_EQ(0u, said[0].find("f.toml: line 2: ")) << said[0];
}

TEST_F(FieldsTest, WantsWhatHasToBeThere) {
  const auto read = [](Fields* f) {
    f->Text("text");
    f->When("when");
    f->Texts("texts");
    f->Tables("tables");
  };
  EXPECT_EQ((Said{"f.toml: text: is missing", "f.toml: when: is missing",
                  "f.toml: texts: is missing",
                  "f.toml: tables: there is no [[tables]]"}),
            Read("", read));
  EXPECT_EQ(Said(), Read("text = 'a'\nwhen = 2027-01-05T16:00:00Z\n"
                         "texts = ['a']\n[[tables]]\n",
                         read));
}

TEST_F(FieldsTest, RefusesAnotherType) {
  EXPECT_EQ(
      (Said{"f.toml: text: has to be a text that is not empty",
            "f.toml: empty: has to be a text that is not empty",
            "f.toml: day: has to be a time with its zone: 2027-01-05T16:00:00Z",
            "f.toml: local: has to be a time with its zone: "
            "2027-01-05T16:00:00Z",
            "f.toml: texts: has to be a list of texts, none of them empty",
            "f.toml: none: is empty",
            "f.toml: tables: has to be a list of tables: [[tables]]",
            "f.toml: table: has to be a table: [table]"}),
      Read("text = 1\nempty = ''\nday = 2027-01-05\n"
           "local = 2027-01-05T16:00:00\ntexts = ['a', 1]\nnone = []\n"
           "tables = [1]\ntable = 1\n",
           [](Fields* f) {
             f->Text("text");
             f->Text("empty");
             f->When("day");
             f->When("local");
             f->Texts("texts");
             f->Texts("none");
             f->Tables("tables");
             f->TableIfAny("table");
           }));
}

TEST_F(FieldsTest, NamesAFieldThatNobodyAskedFor) {
  EXPECT_EQ(Said{"f.toml: titel: there is no such field"},
            Read("titel = 'a'\n", [](Fields* f) { f->NothingElse(); }));
  EXPECT_EQ(
      Said{"f.toml: row[1].b: there is no such field"},
      Read("[[row]]\na = 'a'\n[[row]]\na = 'a'\nb = 'b'\n", [](Fields* f) {
        for (Fields& row : f->Tables("row")) {
          row.Text("a");
          row.NothingElse();
        }
      }));
}

TEST_F(FieldsTest, TakesATimeOfAnyZone) {
  Read("t = 2027-01-05T16:00:00+01:30\n", [](Fields* f) {
    EXPECT_EQ("2027-01-05T14:30:00Z", FormatTime(f->When("t")));
  });
}

}  // namespace
}  // namespace siw::advisory

#include "ci/vm/bench.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ci/vm/bench_page.h"

namespace siw::vm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRows =
    "# comment\n"
    "quick\tqperf\tsend\t1500\ton\t64\t1\t1\t500\ttcp\n"
    "full qperf send 1500 on 128 1 1 500 tcp,inbox # more\n"
    "full qperf send 1500 on 64 8 1 500 q1\n"
    "full qperf send-latency 1500 on 64 1 1 500 tcp\n"
    "full qperf send 1500 on 64 9 1 500 -\n";

constexpr const char* kResults =
    R"({"facts":{"time":"icount","kernel":"7.3"}}
{"row":"qperf send 1500 on 64 1 1","peer":"siw","values":[30,10,20]}
{"row":"qperf send 1500 on 64 1 1","peer":"tcp","values":[40,40,50]}
{"row":"qperf send 1500 on 64 8 1","peer":"siw","values":[10]}
{"row":"qperf send-latency 1500 on 64 1 1","peer":"siw","values":[20]}
{"row":"qperf send-latency 1500 on 64 1 1","peer":"tcp","values":[10]}
)";

std::vector<Ratio> RatiosOf(const std::string& results) {
  const auto run = ParseRun(results);
  const auto plan = ParsePlan(kRows);
  EXPECT_TRUE(run.ok());
  EXPECT_TRUE(plan.ok());
  return Ratios(*run, *plan);
}

Finding FindIn(const std::string& results, const Bound& bound) {
  return Find(bound, RatiosOf(results), *ParsePlan(kRows));
}

TEST(Bench, TheMedianIsTheMiddleOrBetweenTheTwoThere) {
  EXPECT_DOUBLE_EQ(0, Median({}));
  EXPECT_DOUBLE_EQ(2, Median({3, 1, 2}));
  EXPECT_DOUBLE_EQ(2.5, Median({4, 1, 2, 3}));
  EXPECT_DOUBLE_EQ(1, Spread({3, 1, 2}));
  EXPECT_DOUBLE_EQ(0, Spread({3}));
}

TEST(Bench, APlanNamesRowsAndPeers) {
  const auto plan = ParsePlan(kRows);
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(5u, plan->size());
  EXPECT_EQ("quick", plan->at(0).set);
  EXPECT_EQ("qperf send 1500 on 64 1 1", plan->at(0).row);
  EXPECT_EQ((std::vector<std::string>{"tcp", "inbox"}), plan->at(1).peers);
  EXPECT_TRUE(plan->at(4).peers.empty());
  EXPECT_EQ("line 2: 3 words, 10 expected",
            ParsePlan("\nquick qperf send\n").error().message);
}

TEST(Bench, ARatioIsThatOfMediansAndItsEndsAreThoseOfTheRuns) {
  const auto ratios = RatiosOf(kResults);
  ASSERT_EQ(3u, ratios.size());
  EXPECT_EQ("qperf send 1500 on 64 1 1 : tcp", ratios[0].Name());
  EXPECT_DOUBLE_EQ(0.5, ratios[0].median);
  EXPECT_DOUBLE_EQ(0.2, ratios[0].low);
  EXPECT_DOUBLE_EQ(0.75, ratios[0].high);
}

TEST(Bench, ARowIsComparedWithItselfOnOtherQueuePairs) {
  const auto ratios = RatiosOf(kResults);
  EXPECT_EQ("qperf send 1500 on 64 8 1 : q1", ratios.at(1).Name());
  EXPECT_DOUBLE_EQ(0.5, ratios.at(1).median);
}

TEST(Bench, ARowIsComparedWithItsNeighbourInSize) {
  EXPECT_EQ("qperf send 1500 on 64 1 1",
            OwnRow("qperf send 1500 on 65 1 1", "s64"));
  for (const char* other : {"siw", "s", "tcp", "rxe", "q8x"})
    EXPECT_EQ("", OwnRow("qperf send 1500 on 65 1 1", other)) << other;
  const auto plan = ParsePlan("full qperf send 1500 on 65 1 1 - s64\n");
  const auto run = ParseRun(
      R"({"row":"qperf send 1500 on 64 1 1","peer":"siw","values":[30]}
{"row":"qperf send 1500 on 65 1 1","peer":"siw","values":[12]}
)");
  const auto ratios = Ratios(*run, *plan);
  ASSERT_EQ(1u, ratios.size());
  EXPECT_DOUBLE_EQ(0.4, ratios[0].median);
  const Bound bound = {0.5, "s*", "qperf * 1 1"};
  EXPECT_EQ(Met::kNo, Find(bound, ratios, *plan).met);
  EXPECT_EQ(1u, Find(bound, ratios, *plan).planned);
}

TEST(Bench, OfALatencyLessIsBetter) {
  const auto ratios = RatiosOf(kResults);
  EXPECT_DOUBLE_EQ(0.5, ratios.at(2).median);
}

TEST(Bench, AFailureOfEitherEndIsNoRatio) {
  for (const char* failed : {"siw", "tcp"}) {
    std::string results;
    for (const char* peer : {"siw", "tcp"})
      results += std::string(R"({"row":"qperf send 1500 on 64 1 1","peer":")") +
                 peer +
                 (peer == std::string(failed) ? R"(","error":"broke"})"
                                              : R"(","values":[1]})") +
                 "\n";
    const auto ratios = RatiosOf(results);
    ASSERT_EQ(1u, ratios.size());
    EXPECT_NE("", ratios[0].error);
  }
}

TEST(Bench, NoFigureAboveZeroIsAFailure) {
  for (const char* values : {"[]", "[0]", "[5,-1]"}) {
    const auto run = ParseRun(
        std::string(R"({"row":"r","peer":"siw","values":)") + values + "}\n");
    ASSERT_TRUE(run.ok());
    EXPECT_NE("", run->measurements[0].error) << values;
  }
}

TEST(Bench, AnErrorWithoutAWordIsOneAllTheSame) {
  const auto run = ParseRun(R"({"row":"r","peer":"siw","error":""})");
  ASSERT_TRUE(run.ok());
  EXPECT_NE("", run->measurements[0].error);
}

TEST(Bench, RefusesWhatIsNoResult) {
  EXPECT_FALSE(ParseRun("{\"row\":\"r\"}\n").ok());
  EXPECT_FALSE(ParseRun("{\"row\":\"r\",\"peer\":\"siw\"}\n").ok());
  EXPECT_FALSE(ParseRun("{}\n\n").ok());
  EXPECT_FALSE(ParseStored("{}").ok());
  EXPECT_FALSE(ParseStored("[").ok());
}

TEST(Bench, FiguresHaveBounds) {
  const auto figures = ParseFigures(
      "# c\n= 1 QP, CRC on\n0.5 tcp * send 1500 on * 1 1\n= memory\n");
  ASSERT_TRUE(figures.ok());
  ASSERT_EQ(2u, figures->size());
  EXPECT_EQ("1 QP, CRC on", figures->at(0).what);
  ASSERT_EQ(1u, figures->at(0).bounds.size());
  EXPECT_DOUBLE_EQ(0.5, figures->at(0).bounds[0].least);
  EXPECT_EQ("tcp", figures->at(0).bounds[0].peer);
  EXPECT_EQ("* send 1500 on * 1 1", figures->at(0).bounds[0].rows);
  EXPECT_TRUE(figures->at(1).bounds.empty());
  for (const char* bad :
       {"0.5 tcp * send 1500 on * 1 1\n", "= a\n0.5 tcp * send\n",
        "= a\nhalf tcp * send 1500 on * 1 1\n"})
    EXPECT_FALSE(ParseFigures(bad).ok()) << bad;
}

TEST(Bench, AFigureIsMetByTheWorstOfItsRows) {
  const std::string rows = "qperf send 1500 on @(64|128) 1 1";
  EXPECT_EQ(Met::kNo, FindIn(kResults, {0.51, "tcp", rows}).met);
  const Finding so_far = FindIn(kResults, {0.5, "tcp", rows});
  EXPECT_EQ(Met::kSoFar, so_far.met);
  EXPECT_EQ(1u, so_far.measured);
  EXPECT_EQ(2u, so_far.planned);
  EXPECT_EQ(Met::kYes,
            FindIn(kResults, {0.5, "tcp", "qperf send 1500 on 64 1 1"}).met);
  EXPECT_EQ(Met::kNotMeasured, FindIn(kResults, {0.5, "inbox", rows}).met);

  const Finding two = FindIn(
      std::string(kResults) +
          R"({"row":"qperf send 1500 on 128 1 1","peer":"siw","values":[1]})"
          "\n"
          R"({"row":"qperf send 1500 on 128 1 1","peer":"tcp","values":[4]})"
          "\n",
      {0.5, "tcp", rows});
  EXPECT_EQ(Met::kNo, two.met);
  EXPECT_DOUBLE_EQ(0.25, two.worst);
  EXPECT_EQ("qperf send 1500 on 128 1 1", two.worst_row);
}

TEST(Bench, AFailedRatioDoesNotMeetAFigure) {
  const std::string results =
      R"({"row":"qperf send 1500 on 64 1 1","peer":"siw","error":"broke"}
{"row":"qperf send 1500 on 64 1 1","peer":"tcp","values":[1]}
)";
  EXPECT_EQ(Met::kNotMeasured,
            FindIn(results, {0.5, "tcp", "qperf send 1500 on 64 1 1"}).met);
}

TEST(Bench, WhatFellByMoreThanATwentiethIsARegression) {
  const std::string name = "qperf send 1500 on 64 1 1 : tcp";  // 0.5 now
  EXPECT_TRUE(Regressions(RatiosOf(kResults), {{name, 0.526}}).empty());
  const auto worse = Regressions(RatiosOf(kResults), {{name, 0.527}});
  ASSERT_EQ(1u, worse.size());
  EXPECT_EQ(name, worse[0].name);
  EXPECT_DOUBLE_EQ(0.5, worse[0].now);
  // What this run did not try is not judged, what failed is.
  EXPECT_TRUE(Regressions(RatiosOf(kResults), {{"other : tcp", 9}}).empty());
  const auto failed = Regressions(
      RatiosOf(
          R"({"row":"qperf send 1500 on 64 1 1","peer":"siw","error":"broke"}
{"row":"qperf send 1500 on 64 1 1","peer":"tcp","values":[1]}
)"),
      {{name, 0.1}});
  ASSERT_EQ(1u, failed.size());
  EXPECT_DOUBLE_EQ(0, failed[0].now);
}

class BenchPage : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "benchXXXXXX";
    top_ = mkdtemp(pattern.data());
    Put("rows", kRows);
    Put("results", kResults);
    Put("figures",
        "= send <64>\n0.9 tcp qperf send 1500 on 64 1 1\n= memory\n");
    files_ = {top_ / "results", top_ / "rows", top_ / "figures",
              top_ / "baseline", top_ / "out"};
  }
  void TearDown() override { fs::remove_all(top_); }

  void Put(const std::string& name, const std::string& text) {
    std::ofstream(top_ / name) << text;
  }

  std::string Text(const std::string& name) {
    std::ifstream file(top_ / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  fs::path top_;
  BenchFiles files_;
};

TEST_F(BenchPage, WritesAPageAndJson) {
  Put("baseline", R"({"ratios":{"qperf send 1500 on 64 1 1 : tcp":0.8}})");
  const auto report = ReadBench(files_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(WriteBench(*report, files_.out).ok());

  const std::string page = Text("out/index.html");
  for (const char* expected :
       {"<svg", "</svg>", "<title>0.500 (0.200 to 0.750)</title>",
        "Against kernel TCP", "Against ours with 1 QP",
        "Worse than the baseline", "send &lt;64&gt;", "class=not>not met",
        "class=open>not measured", "counts instructions", "kernel: 7.3"})
    EXPECT_NE(std::string::npos, page.find(expected)) << expected;
  for (const char* outside : {"src=", "href="})
    EXPECT_EQ(std::string::npos, page.find(outside)) << outside;

  const std::string json = Text("out/results.json");
  for (const char* expected :
       {"\"instructions_per_octet\": 50000000.0", "\"baseline\": 0.8",
        "\"verdict\": \"not met\"", "\"spread\": 1.0"})
    EXPECT_NE(std::string::npos, json.find(expected)) << expected;

  const std::string text = BenchText(*report);
  for (const char* expected :
       {"0.500  0.200 to 0.750", "not met", "not measured"})
    EXPECT_NE(std::string::npos, text.find(expected)) << expected;
}

TEST_F(BenchPage, InRealTimeNothingCountsInstructions) {
  Put("results",
      R"({"facts":{"time":"tcg"}}
{"row":"qperf send 1500 on 64 1 1","peer":"siw","values":[30]}
)");
  const auto report = ReadBench(files_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(std::string::npos, BenchHtml(*report).find("instructions"));
  EXPECT_EQ(std::string::npos, BenchJson(*report).find("instructions"));
}

TEST_F(BenchPage, WhatIsStoredIsTheNextBaseline) {
  const auto report = ReadBench(files_);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->stored.empty());
  ASSERT_TRUE(StoreBench(*report, files_.baseline).ok());
  const auto again = ReadBench(files_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(3u, again->stored.size());
  EXPECT_DOUBLE_EQ(0.5, again->stored.at("qperf send 1500 on 64 1 1 : tcp"));
  EXPECT_TRUE(Regressions(again->ratios, again->stored).empty());
}

TEST_F(BenchPage, ACheckOfNothingInTheBaselineFails) {
  EXPECT_FALSE(CheckBench(*ReadBench(files_)).ok());
  Put("baseline", R"({"ratios":{"other : tcp":0.8}})");
  EXPECT_FALSE(CheckBench(*ReadBench(files_)).ok());
  Put("baseline",
      R"({"ratios":{"other : tcp":9,"qperf send 1500 on 64 1 1 : tcp":0.8}})");
  const auto worse = CheckBench(*ReadBench(files_));
  ASSERT_TRUE(worse.ok());
  EXPECT_EQ(1u, worse->size());
}

TEST_F(BenchPage, ARunOfAFewRatiosDoesNotReplaceTheBaseline) {
  const std::string baseline = R"({"ratios":{"other : tcp":0.8}})";
  Put("baseline", baseline);
  const Status stored = StoreBench(*ReadBench(files_), files_.baseline);
  ASSERT_FALSE(stored.ok());
  EXPECT_NE(std::string::npos, stored.error().message.find("other : tcp"));
  EXPECT_EQ(baseline, Text("baseline"));
}

TEST_F(BenchPage, ARunWithFailuresIsNoBaseline) {
  Put("results", std::string(kResults) +
                     R"({"row":"x","peer":"siw","error":"broke <it>"})" + "\n");
  const auto report = ReadBench(files_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(1u, CountErrors(*report));
  EXPECT_FALSE(StoreBench(*report, files_.baseline).ok());
  EXPECT_NE(std::string::npos, BenchHtml(*report).find("broke &lt;it&gt;"));
}

TEST_F(BenchPage, ARunThatFailedOnceIsTold) {
  Put("results",
      R"({"row":"qperf send 1500 on 64 1 1","peer":"siw","lost":"gone","values":[5]}
{"row":"qperf send 1500 on 64 1 1","peer":"tcp","lost":"","values":[10]}
)");
  const auto report = ReadBench(files_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(0u, CountErrors(*report));
  EXPECT_EQ(1u, CountLost(*report));
  EXPECT_DOUBLE_EQ(0.5, report->ratios.at(0).median);
  for (const std::string& text :
       {BenchHtml(*report), BenchJson(*report), BenchText(*report)})
    EXPECT_NE(std::string::npos, text.find("gone"));
}

TEST_F(BenchPage, RefusesARunWithoutMeasurements) {
  Put("results", "{\"facts\":{}}\n");
  EXPECT_FALSE(ReadBench(files_).ok());
  fs::remove(top_ / "results");
  EXPECT_FALSE(ReadBench(files_).ok());
}

}  // namespace
}  // namespace siw::vm

#include "proxy/kernel/kernel_list.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::kernel::kernel_list_test {

const std::string kMine = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
const std::string kThird = "33333333-26f6-4b4d-bfc9-be831a9e648f";
const std::string kTheirs = "00000000-26f6-4b4d-bfc9-be831a9e648f";

std::string entry(const std::string& id, const std::string& rest = "") {
  return R"({"id": ")" + id + R"(", "name": "python3")" + rest + "}";
}

std::string joined(const ListedKernels& kernels) {
  std::string out = "[";
  for (const ListedKernel* kernel : kernels) append_listed(*kernel, out);
  return out + "]";
}

// The list without those of others.
std::string filtered(const std::string& body) {
  const auto list = KernelList::read(body);
  if (!list) return "refused";
  const ListedKernels lists[] = {list->all()};
  return joined(merge_kernel_lists(lists, [](size_t /*list*/, const ListedKernel& kernel) {
    return kernel.id == kTheirs ? Claim::kNone : Claim::kHeld;
  }));
}

TEST(KernelList, KeepsWhatTheCallerMaySee) {
  EXPECT_EQ(filtered("[]"), "[]");
  EXPECT_EQ(filtered(" [ ] \n"), "[]");
  EXPECT_EQ(filtered("[" + entry(kTheirs) + "]"), "[]");
  EXPECT_EQ(filtered("[" + entry(kMine) + "]"), "[" + entry(kMine) + "]");
  EXPECT_EQ(filtered("[" + entry(kTheirs) + "," + entry(kMine) + " ,\n" + entry(kTheirs) + "]"),
            "[" + entry(kMine) + "]");
  EXPECT_EQ(filtered("[" + entry(kMine) + "," + entry(kThird) + "]"),
            "[" + entry(kMine) + ", " + entry(kThird) + "]");
}

TEST(KernelList, PassesEntriesAsTheyAre) {
  const std::string odd =
      "{ \"connections\" :1.50e2,\t\"id\":\"" + kMine +
      R"(","x":{"id":"y","z":[{"id":"]}"},"\"]}\\",null,-0.0]},"y":"\u00e9}" })";
  EXPECT_EQ(filtered("[" + entry(kTheirs, R"(,"x":"\\\"}],{")") + "," + odd + "]"),
            "[" + odd + "]");
}

TEST(KernelList, MendsAMissingFraction) {
  const auto with = [](const std::string& time) {
    return "[" + entry(kMine, R"(, "last_activity": ")" + time + R"(", "connections": 1)") + "]";
  };
  EXPECT_EQ(filtered(with("2026-11-26T15:24:15Z")), with("2026-11-26T15:24:15.000000Z"));
  for (const std::string& time :
       {std::string("2026-11-26T15:24:15.123456Z"), std::string("2026-11-26T15:24:15+00:00"),
        std::string("2026-11-26 15:24:15Z"), std::string("2026-11-26T15:24:1xZ"), std::string()}) {
    EXPECT_EQ(filtered(with(time)), with(time));
  }
  const std::string nested =
      "[" + entry(kMine, R"(,"x":{"last_activity":"2026-11-26T15:24:15Z"})") + "]";
  EXPECT_EQ(filtered(nested), nested);
}

TEST(KernelList, IsRefusedWholeIfAnEntryCannotBeJudged) {
  for (const std::string& bad :
       {std::string("{}"), std::string("null"), std::string("[]"), std::string("\"x\""),
        std::string(R"({"id":5})"), std::string(R"({"id":""})"), std::string(R"({"id":"../x"})"),
        std::string(R"({"id":["a-b-c-d-e"]})"),
        R"({"id":")" + kTheirs + R"(","id":")" + kMine + "\"}",
        R"({"id":")" + kMine + R"(","id":null})", R"({"\u0069d":")" + kMine + "\"}",
        R"({"id":")" + kMine + R"(","\u0069d":")" + kTheirs + "\"}",
        std::string(R"({"id":"\u0036bb19c3b-26f6-4b4d-bfc9-be831a9e648f"})"),
        R"({"x":{"id":")" + kMine + "\"}}"}) {
    EXPECT_EQ(filtered("[" + entry(kMine) + "," + bad + "]"), "refused") << bad;
  }
}

TEST(KernelList, IsRefusedIfItIsNoList) {
  for (const std::string& bad :
       {std::string(), std::string("{}"), entry(kMine), std::string("null"), std::string("["),
        "[" + entry(kMine) + ",]", "[" + entry(kMine) + "]x", "[" + entry(kMine) + "][]",
        "[" + entry(kMine, ",") + "]", "[" + entry(kMine) + " " + entry(kMine) + "]",
        "[" + entry(kMine, ",\"x\":\"\xff\"") + "]", "\xef\xbb\xbf[" + entry(kMine) + "]",
        "[" + entry(kMine) + std::string("]\0", 2), "[" + entry(kMine, ",\"x\":NaN") + "]"}) {
    EXPECT_EQ(filtered(bad), "refused") << bad;
  }
}

TEST(KernelList, IsBounded) {
  const auto deep = [](size_t levels) {
    return "[" + entry(kMine, ",\"x\":" + std::string(levels, '[') + std::string(levels, ']')) +
           "]";
  };
  EXPECT_NE(filtered(deep(30)), "refused");
  EXPECT_EQ(filtered(deep(31)), "refused");
  EXPECT_EQ(filtered(deep(500'000)), "refused");
  std::string many = "[";
  for (size_t i = 0; i < limits::kListEntriesMax; ++i) many += (i == 0 ? "" : ",") + entry(kTheirs);
  EXPECT_EQ(filtered(many + "]"), "[]");
  EXPECT_EQ(filtered(many + "," + entry(kMine) + "]"), "refused");
  const std::string whole = "[" + entry(kMine) + "]";
  const std::string spaces(limits::kListBytesMax - whole.size(), ' ');
  EXPECT_EQ(filtered(spaces + whole), whole);
  EXPECT_EQ(filtered(spaces + " " + whole), "refused");
}

TEST(KernelList, ReadsWhatItsEntriesSay) {
  const auto list = KernelList::read(
      "[" + entry(kMine, R"(,"connections":3,"execution_state":"busy")") + "," +
      entry(kTheirs, R"(,"execution_state":"idle","last_activity":"x","connections":1.5)") + "," +
      entry(kThird, R"(,"execution_state":"starting","connections":"7","connections":-1)") + "]");
  ASSERT_TRUE(list);
  using State = ListedKernel::State;
  const std::vector<ListedKernel>& kernels = list->kernels();
  ASSERT_EQ(kernels.size(), 3U);
  EXPECT_EQ(kernels[0].connections, 3U);
  EXPECT_EQ(kernels[0].state, State::kBusy);
  EXPECT_EQ(kernels[1].connections, 0U);
  EXPECT_EQ(kernels[1].state, State::kIdle);
  EXPECT_EQ(kernels[1].last_activity, "x");
  EXPECT_EQ(kernels[2].connections, 0U);
  EXPECT_EQ(kernels[2].state, State::kOther);
  EXPECT_EQ(list->find(kTheirs), &kernels[1]);
  EXPECT_EQ(list->find("x"), nullptr);
}

TEST(KernelList, TellsWhatIsNewInIt) {
  auto first = KernelList::read("[" + entry(kMine) + "," + entry(kTheirs) + "]");
  auto second = KernelList::read("[" + entry(kThird) + "," + entry(kMine) + "]");
  auto third = KernelList::read("[" + entry(kTheirs) + "," + entry(kMine) + "]");
  first->follow(nullptr, 1);
  second->follow(&*first, 2);
  third->follow(&*second, 3);
  EXPECT_EQ(first->find(kMine)->since, 1U);
  EXPECT_EQ(second->find(kThird)->since, 2U);
  EXPECT_EQ(second->find(kMine)->since, 1U);
  EXPECT_EQ(third->find(kTheirs)->since, 3U) << "it was away";
  EXPECT_EQ(third->find(kMine)->since, 1U);
}

// What is left of one kernel that two gateways list.
std::string of_two(Claim first, const std::string& in_first, Claim second,
                   const std::string& in_second) {
  const auto a = KernelList::read("[" + entry(kMine, in_first) + "]");
  const auto b = KernelList::read("[" + entry(kThird) + "," + entry(kMine, in_second) + "]");
  const ListedKernels lists[] = {a->all(), b->all()};
  return joined(merge_kernel_lists(lists, [&](size_t list, const ListedKernel& kernel) {
    if (kernel.id == kThird) return Claim::kHeld;
    return list == 0 ? first : second;
  }));
}

TEST(KernelListMerge, AnEntryCountsInItsHoldersListOnly) {
  const std::string third = entry(kThird);
  const std::string a = R"(,"connections":9)";
  const std::string b = R"(,"connections":0)";
  EXPECT_EQ(of_two(Claim::kNone, a, Claim::kHeld, b), "[" + third + ", " + entry(kMine, b) + "]");
  EXPECT_EQ(of_two(Claim::kHeld, b, Claim::kNone, a), "[" + entry(kMine, b) + ", " + third + "]");
  EXPECT_EQ(of_two(Claim::kNone, a, Claim::kNone, b), "[" + third + "]") << "nobody holds it";
  EXPECT_EQ(of_two(Claim::kMaybe, a, Claim::kHeld, b), "[" + entry(kMine, b) + ", " + third + "]");
  EXPECT_EQ(of_two(Claim::kHeld, b, Claim::kMaybe, a), "[" + entry(kMine, b) + ", " + third + "]");
}

TEST(KernelListMerge, OfTwoThatMayBeTheConnectedOneCountsElseTheLatest) {
  const auto says = [](int connections, const std::string& time) {
    return R"(,"connections":)" + std::to_string(connections) + R"(,"last_activity":")" + time +
           "\"";
  };
  const std::string early = "2026-11-26T15:24:15Z";
  const std::string late = "2026-11-26T15:24:15.5Z";
  const std::string mended_early = "2026-11-26T15:24:15.000000Z";
  const auto first = [](const std::string& more) {
    return "[" + entry(kMine, more) + ", " + entry(kThird) + "]";
  };
  const auto of = [](const std::string& a, const std::string& b) {
    return of_two(Claim::kMaybe, a, Claim::kMaybe, b);
  };
  EXPECT_EQ(of(says(1, early), says(0, late)), first(says(1, mended_early)));
  EXPECT_EQ(of(says(0, late), says(2, early)), first(says(2, mended_early)));
  EXPECT_EQ(of(says(0, early), says(0, late)), first(says(0, late)));
  EXPECT_EQ(of(says(0, late), says(0, early)), first(says(0, late)));
  EXPECT_EQ(of(says(1, late), says(2, late)), first(says(1, late))) << "the first of equals";
  EXPECT_EQ(of("", says(0, late)), first(says(0, late)));
}

TEST(KernelListMerge, AnIdStandsThereOnce) {
  const std::string body = "[" + entry(kMine) + "," + entry(kMine) + "]";
  const auto list = KernelList::read(body);
  const ListedKernels lists[] = {list->all(), list->all()};
  const auto held = [](size_t /*list*/, const ListedKernel& /*kernel*/) { return Claim::kHeld; };
  EXPECT_EQ(joined(merge_kernel_lists(lists, held)), "[" + entry(kMine) + "]");
  EXPECT_EQ(joined(merge_kernel_lists({}, held)), "[]");
}

}  // namespace kg::kernel::kernel_list_test

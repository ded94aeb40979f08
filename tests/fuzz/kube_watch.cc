// A watch's answer: the same events however it is cut, one for each line before the first fault.
#include <algorithm>
#include <string>
#include <vector>

#include "routing/controller/kube/object.h"
#include "routing/controller/kube/watch_reader.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

struct Outcome {
  std::vector<std::string> events;
  std::string fault;
  bool at_boundary = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::string_view input, Cut cut) {
  kube::WatchReader reader;
  Outcome outcome;
  bool goes_on = true;
  for_each_piece(input, cut, [&](std::string_view piece) {
    KG_ASSERT(goes_on);
    goes_on = reader.feed(piece, [&](kube::WatchEvent event) {
      KG_ASSERT(event.object.is_object());
      static_cast<void>(kube::head_of(event.object));
      kube::strip(event.object);
      outcome.events.push_back(std::to_string(static_cast<int>(event.type)) +
                               event.object.dump(-1, ' ', true));
      return true;
    });
    return goes_on;
  });
  KG_ASSERT(goes_on == (*reader.fault() == '\0'));
  outcome.fault = reader.fault();
  outcome.at_boundary = reader.at_boundary();
  return outcome;
}

}  // namespace

void run(std::string_view input) {
  const Outcome whole = read(input, Cut::kWhole);
  for (const Cut cut : kOtherCuts) KG_ASSERT(read(input, cut) == whole);
  const auto lines = static_cast<size_t>(std::count(input.begin(), input.end(), '\n'));
  KG_ASSERT(whole.events.size() <= lines);
  KG_ASSERT(!whole.fault.empty() || whole.at_boundary == (input.empty() || input.back() == '\n'));
}

}  // namespace kg::fuzz

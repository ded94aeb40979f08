// An authentication service's answer: its first line is the status, each further one a value of the
// subject's field, or after '@' of the groups'.
#include "auth/delegated.h"
#include "proxy/base/ascii.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const auto next_line = [&input] {
    const size_t end = std::min(input.find('\n'), input.size());
    const std::string line(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
    return line;
  };
  auth::DelegatedOptions options;
  options.realm = "fuzz";
  options.endpoint_id = "ep";
  options.subject_header = "X-User";
  options.groups_header = "X-Groups";
  options.digest_key = Secret(std::string(32, 'k'));
  const auth::Delegated delegated(std::move(options));
  fetch::Answer answer;
  answer.status = static_cast<int>(ascii::parse_decimal(next_line()).value_or(200) % 600);
  answer.wanted.resize(2);
  while (!input.empty()) {
    const std::string line = next_line();
    const bool is_group = line.starts_with('@');
    answer.wanted[is_group ? 1 : 0].push_back(is_group ? line.substr(1) : line);
  }
  const auth::Verdict verdict = delegated.read(answer, Secret("token"), 1'700'000'000);
  if (verdict.kind != auth::Verdict::Kind::kPrincipal) {
    KG_ASSERT(verdict.kind == auth::Verdict::Kind::kRefused);
    KG_ASSERT((verdict.error.code == ErrorCode::kUnauthorized) == (answer.status == 401));
    KG_ASSERT((verdict.error.code == ErrorCode::kForbidden) == (answer.status == 403));
    return;
  }
  const auth::Principal& who = verdict.principal;
  KG_ASSERT(answer.status == 200 && answer.wanted[0].size() == 1);
  KG_ASSERT(who.subject == answer.wanted[0][0] && who.realm == "fuzz" && who.endpoint == "ep");
  for (const char c : who.subject) KG_ASSERT(c >= ' ' && c < 0x7f);
  for (const std::string& group : who.groups) {
    KG_ASSERT(!group.empty() && group.find(',') == std::string::npos);
    for (const char c : group) KG_ASSERT(c >= ' ' && c < 0x7f);
  }
}

}  // namespace kg::fuzz

// Parsers of numbers, durations, sizes and words. Ranges and words come from the schema's unit
// column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/parsed.h"
#include "config/section.h"

namespace kg::config {

Parsed<uint32_t> parse_integer(std::string_view text, const KeyInfo& info);
Parsed<uint32_t> parse_workers(std::string_view text, const KeyInfo& info);  // auto is 0
Parsed<Millis> parse_duration(std::string_view text, const KeyInfo& info);
uint32_t read_ms(const Section& section, std::string_view name);          // a duration key
Parsed<uint64_t> parse_size(std::string_view text, const KeyInfo& info);  // 64KiB, in bytes
Parsed<bool> parse_boolean(std::string_view text, const KeyInfo& info);
Parsed<bool> parse_on_or_off(std::string_view text, const KeyInfo& info);
Parsed<bool> parse_close_or_keep(std::string_view text, const KeyInfo& info);  // true: close
Parsed<OtherPaths> parse_other_paths(std::string_view text, const KeyInfo& info);
Parsed<ClientCertificateMode> parse_client_certificate_mode(std::string_view text,
                                                            const KeyInfo& info);
Parsed<GatewayCredentials> parse_credentials(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_algorithm(std::string_view text, const KeyInfo& info);
Parsed<AuditSubjects> parse_audit_subjects(std::string_view text, const KeyInfo& info);
Parsed<CertificateName> parse_certificate_name(std::string_view text, const KeyInfo& info);
Parsed<std::string> parse_text(std::string_view text, const KeyInfo& info);

// The numbers of "LEAST to MOST entries" or of "LEAST to MOST".
struct Bounds {
  uint64_t least = 0;
  uint64_t most = 0;
};
Bounds integer_bounds(const KeyInfo& info);

}  // namespace kg::config

// Reads the authenticators that ask a service: `introspection` and `delegated`, and the URLs of all
// of them.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include <optional>
#include <string_view>

#include "config/config.h"
#include "config/files.h"
#include "config/section.h"

namespace kg::config {

// An https URL: what goes there decides who is let in.
Parsed<Url> parse_service_url(std::string_view text, const KeyInfo& info);
// The keys `name` and `ca_file`; nullopt without a URL.
std::optional<Service> read_service(const Section& section, std::string_view name,
                                    const Files& files);

IntrospectionSessions read_introspection(const Section& section, const Files& files);
DelegatedSessions read_delegated(const Section& section, const Files& files);

}  // namespace kg::config

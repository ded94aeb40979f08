// The rows of config/schema.cc about the feed of controllers, in its form and order.
#pragma once

#include <array>

#include "config/schema.h"

namespace kg::config {

inline constexpr auto kFeedKeys = std::to_array<KeyInfo>({
    {"feed", "map", "", "(none)",
     "Controllers that announce endpoints, beside those of this file. Without one of its own the "
     "proxy is ready when it has them, or the copy of them in `state_dir`."},
    {"feed.controllers", "list of HOST:PORT", "1 to 16 entries", "required",
     "Where controllers publish; a name is looked up again and again, and each of its addresses is "
     "one controller. The newest version of all of them counts."},
    {"feed.controller_keys", "list of CURVE keys", "1 to 16 entries", "(none)",
     "Public keys of controllers, 40 characters each; any of them is believed. Required unless "
     "`plaintext`."},
    {"feed.key_file", "file", "one CURVE key", "(none)",
     "The proxy's own secret key, by which controllers know what it may see. It seals the copy in "
     "`state_dir`, too. Required unless `plaintext`. A warning if everybody on the machine may "
     "read "
     "it."},
    {"feed.plaintext", "boolean", "true, false", "false",
     "Speak without keys, to anybody who answers: gateway tokens pass in the clear. For tests."},
    {"feed.name", "text", "", "(the host's name)", "What controllers call this proxy."},
});

}  // namespace kg::config

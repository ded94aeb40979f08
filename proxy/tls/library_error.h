// OpenSSL's error queue of this thread, as words.
#pragma once

#include <string>

namespace kg::tls {

// Why the last call failed, in OpenSSL's words; empties the queue.
std::string library_reason();
// Before a call whose outcome is read from the queue. It is empty nearly always, and looking is a
// tenth of what emptying costs, several times a request.
void forget_library_errors() noexcept;
// A PEM reader found no further object, and nothing else was wrong. Empties the queue if so.
bool last_error_is_end_of_pem() noexcept;

std::string library_version();  // "3.0.19"

}  // namespace kg::tls

// The program's allocator: jemalloc, and what it has to be told.
//
// Connections come in waves, and a proxy runs for weeks: what a wave took has to go back. glibc's
// heap gives back only what lies at its top, and libevent keeps a small block per descriptor number
// for ever, spread over the pages of the wave. jemalloc keeps blocks of one size together and
// returns whole pages soon after their last use. Sanitizer builds have an allocator of their own;
// there nothing here has an effect.
#pragma once

namespace kg::server {

// What the calling thread caches of freed memory goes back to be reused or returned by all.
void release_thread_memory() noexcept;

}  // namespace kg::server

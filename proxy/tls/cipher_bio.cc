#include "proxy/tls/cipher_bio.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "proxy/base/assert.h"

namespace kg::tls {
namespace {

CipherPort& port_of(BIO* bio) { return *static_cast<CipherPort*>(BIO_get_data(bio)); }

int bio_read_cb(BIO* bio, char* out, int size) noexcept {
  std::string_view& incoming = port_of(bio).incoming;
  BIO_clear_retry_flags(bio);
  if (incoming.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t count = std::min(incoming.size(), static_cast<size_t>(size));
  std::memcpy(out, incoming.data(), count);
  incoming.remove_prefix(count);
  return static_cast<int>(count);
}

int bio_write_cb(BIO* bio, const char* bytes, int size) noexcept {
  port_of(bio).transport.output().append({bytes, static_cast<size_t>(size)});
  return size;
}

long bio_control_cb(BIO*, int command, long, void*) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* cipher_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kernelgate");
    KG_ASSERT(made != nullptr);
    BIO_meth_set_read(made, &bio_read_cb);
    BIO_meth_set_write(made, &bio_write_cb);
    BIO_meth_set_ctrl(made, &bio_control_cb);
    return made;
  }();
  return method;
}

}  // namespace

bio_st* make_cipher_bio(CipherPort& port) {
  BIO* bio = BIO_new(cipher_method());
  KG_ASSERT(bio != nullptr);
  BIO_set_data(bio, &port);
  BIO_set_init(bio, 1);
  return bio;
}

char* plain_scratch() {
  thread_local const std::unique_ptr<char[]> scratch(new char[kPlainScratchBytes]);
  return scratch.get();
}

}  // namespace kg::tls

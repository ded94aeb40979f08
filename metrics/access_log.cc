#include "metrics/access_log.h"

#include "metrics/json_line.h"

namespace kg::metrics {
namespace {

struct TextField {
  Key key;
  std::string_view AccessRecord::*value;
};
constexpr TextField kTextFields[] = {
    {Key("request_id"), &AccessRecord::request_id},
    {Key("trace_id"), &AccessRecord::trace_id},
    {Key("client"), &AccessRecord::client},
    {Key("forwarded_for"), &AccessRecord::forwarded_for},
    {Key("client_certificate"), &AccessRecord::client_certificate},
    {Key("endpoint"), &AccessRecord::endpoint},
    {Key("virtual_cluster"), &AccessRecord::virtual_cluster},
    {Key("operation"), &AccessRecord::operation},
    {Key("method"), &AccessRecord::method},
    {Key("host"), &AccessRecord::host},
    {Key("path"), &AccessRecord::path},
    {Key("kernel"), &AccessRecord::kernel},
    {Key("spec"), &AccessRecord::spec},
    {Key("pod"), &AccessRecord::pod},
    {Key("subject"), &AccessRecord::subject},
    {Key("realm"), &AccessRecord::realm},
    {Key("role"), &AccessRecord::role},
    {Key("log_context"), &AccessRecord::log_context},
    {Key("user_agent"), &AccessRecord::user_agent},
    {Key("error"), &AccessRecord::error},
    {Key("detail"), &AccessRecord::detail},
    {Key("dropped_env"), &AccessRecord::dropped_env},
    {Key("closed_by"), &AccessRecord::closed_by},
};

}  // namespace

bool AccessLogBuffer::append(const AccessRecord& record) {
  Line line(begin());
  append_time(line, record.time_us);
  for (const TextField& field : kTextFields) line.text(field.key, record.*field.value);
  line.optional(Key("status"), record.status);
  line.optional(Key("close_code"), record.close_code);
  line.number(Key("bytes_in"), record.bytes_in);
  line.number(Key("bytes_out"), record.bytes_out);
  line.optional(Key("messages_in"), record.messages_in);
  line.optional(Key("messages_out"), record.messages_out);
  line.optional(Key("reconnects"), record.reconnects);
  line.seconds(Key("total_seconds"), record.total_us);
  if (record.first_byte_us != 0) line.seconds(Key("first_byte_seconds"), record.first_byte_us);
  if (record.upstream_connect_us != 0) {
    line.seconds(Key("upstream_connect_seconds"), record.upstream_connect_us);
  }
  if (record.launch_wait_us != 0) line.seconds(Key("launch_wait_seconds"), record.launch_wait_us);
  line.flag(Key("websocket"), record.websocket);
  line.flag(Key("tls_resumed"), record.tls_resumed);
  line.flag(Key("upstream_reused"), record.upstream_reused);
  return end(line);
}

}  // namespace kg::metrics

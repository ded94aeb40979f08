// Kernel messages as programs write them: a gateway (Jupyter Enterprise Gateway 3.3.0 with
// ipykernel 6.29.5, recorded) and a notebook (JupyterLab's order of members); and the framings
// around them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kg::kernel::samples {

inline constexpr std::string_view kExecuteRequest =
    R"-({"buffers":[],"channel":"shell","content":{"silent":false,"store_history":true,")-"
    R"-(user_expressions":{},"allow_stdin":true,"stop_on_error":true,"code":"1+1"},"head)-"
    R"-(er":{"date":"2026-11-26T10:00:00.123Z","msg_id":"252a32c3-e1d6-4654-a1cb-557d969)-"
    R"-(f24e1","msg_type":"execute_request","session":"0f2c1f3e-5a36-4b7e-a4c6-111111111)-"
    R"-(111","username":"","version":"5.2"},"metadata":{},"parent_header":{}})-";
inline constexpr std::string_view kBusy =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_49", "msg_type": "statu)-"
    R"-(s", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975", "dat)-"
    R"-(e": "2026-11-26T19:04:48.951553Z", "version": "5.3"}, "msg_id": "17159c93-370eea)-"
    R"-(1e5c9014717f5ca975_49", "msg_type": "status", "parent_header": {"msg_id": "b2ca1)-"
    R"-(b3c-80ac-4a63-8c19-a316c84148fd_0", "msg_type": "kernel_info_request", "username)-"
    R"-(": "username", "session": "b2ca1b3c-80ac-4a63-8c19-a316c84148fd", "date": "2026-)-"
    R"-(11-26T19:04:48.941908Z", "version": "5.3"}, "metadata": {}, "content": {"executi)-"
    R"-(on_state": "busy"}, "buffers": [], "channel": "iopub"})-";
inline constexpr std::string_view kExecuteInput =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_54", "msg_type": "execu)-"
    R"-(te_input", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975)-"
    R"-(", "date": "2026-11-26T19:04:48.971705Z", "version": "5.3"}, "msg_id": "17159c93)-"
    R"-(-370eea1e5c9014717f5ca975_54", "msg_type": "execute_input", "parent_header": {"d)-"
    R"-(ate": "2026-11-26T10:00:00.123000Z", "msg_id": "252a32c3-e1d6-4654-a1cb-557d969f)-"
    R"-(24e1", "msg_type": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-111111)-"
    R"-(111111", "username": "", "version": "5.2"}, "metadata": {}, "content": {"code": )-"
    R"-("1+1", "execution_count": 7}, "buffers": [], "channel": "iopub"})-";
inline constexpr std::string_view kStream =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_60", "msg_type": "strea)-"
    R"-(m", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975", "dat)-"
    R"-(e": "2026-11-26T19:04:49.025725Z", "version": "5.3"}, "msg_id": "17159c93-370eea)-"
    R"-(1e5c9014717f5ca975_60", "msg_type": "stream", "parent_header": {"msg_id": "8c74c)-"
    R"-(175-4136-411e-8740-9bbace230702", "msg_type": "execute_request", "session": "0f2)-"
    R"-(c1f3e-5a36-4b7e-a4c6-111111111111", "date": "2026-11-26T10:00:00.123000Z", "user)-"
    R"-(name": "", "version": "5.2"}, "metadata": {}, "content": {"name": "stdout", "tex)-"
    R"-(t": "xxxxxxxxxx\n"}, "buffers": [], "channel": "iopub"})-";
inline constexpr std::string_view kExecuteResult =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_55", "msg_type": "execu)-"
    R"-(te_result", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca97)-"
    R"-(5", "date": "2026-11-26T19:04:48.976653Z", "version": "5.3"}, "msg_id": "17159c9)-"
    R"-(3-370eea1e5c9014717f5ca975_55", "msg_type": "execute_result", "parent_header": {)-"
    R"-("date": "2026-11-26T10:00:00.123000Z", "msg_id": "252a32c3-e1d6-4654-a1cb-557d96)-"
    R"-(9f24e1", "msg_type": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-1111)-"
    R"-(11111111", "username": "", "version": "5.2"}, "metadata": {}, "content": {"data")-"
    R"-(: {"text/plain": "2"}, "metadata": {}, "execution_count": 7}, "buffers": [], "ch)-"
    R"-(annel": "iopub"})-";
inline constexpr std::string_view kExecuteReply =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_56", "msg_type": "execu)-"
    R"-(te_reply", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975)-"
    R"-(", "date": "2026-11-26T19:04:48.985301Z", "version": "5.3"}, "msg_id": "17159c93)-"
    R"-(-370eea1e5c9014717f5ca975_56", "msg_type": "execute_reply", "parent_header": {"d)-"
    R"-(ate": "2026-11-26T10:00:00.123000Z", "msg_id": "252a32c3-e1d6-4654-a1cb-557d969f)-"
    R"-(24e1", "msg_type": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-111111)-"
    R"-(111111", "username": "", "version": "5.2"}, "metadata": {"started": "2026-11-26T)-"
    R"-(19:04:48.971683Z", "dependencies_met": true, "engine": "cc08f64e-17b8-4df1-b8de-)-"
    R"-(0e570da40f16", "status": "ok"}, "content": {"status": "ok", "execution_count": 7)-"
    R"-(, "user_expressions": {}, "payload": []}, "buffers": [], "channel": "shell"})-";
inline constexpr std::string_view kInputRequest =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_75", "msg_type": "input)-"
    R"-(_request", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975)-"
    R"-(", "date": "2026-11-26T19:04:49.216832Z", "version": "5.3"}, "msg_id": "17159c93)-"
    R"-(-370eea1e5c9014717f5ca975_75", "msg_type": "input_request", "parent_header": {"d)-"
    R"-(ate": "2026-11-26T10:00:00.123000Z", "msg_id": "bda9ca30-a7a8-4c53-8c36-b9246861)-"
    R"-(5cae", "msg_type": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-111111)-"
    R"-(111111", "username": "", "version": "5.2"}, "metadata": {}, "content": {"prompt")-"
    R"-(: "name? ", "password": false}, "buffers": [], "channel": "stdin"})-";
inline constexpr std::string_view kInputReply =
    R"-({"buffers":[],"channel":"stdin","content":{"value":"bob","status":"ok"},"header")-"
    R"-(:{"date":"2026-11-26T10:00:00.123Z","msg_id":"28db1e4a-dadc-4543-8678-43cea9ed4f)-"
    R"-(27","msg_type":"input_reply","session":"0f2c1f3e-5a36-4b7e-a4c6-111111111111","u)-"
    R"-(sername":"","version":"5.2"},"metadata":{},"parent_header":{}})-";
inline constexpr std::string_view kIdle =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_85", "msg_type": "statu)-"
    R"-(s", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975", "dat)-"
    R"-(e": "2026-11-26T19:04:49.338333Z", "version": "5.3"}, "msg_id": "17159c93-370eea)-"
    R"-(1e5c9014717f5ca975_85", "msg_type": "status", "parent_header": {"date": "2026-11)-"
    R"-(-26T10:00:00.123000Z", "msg_id": "d8cf0bb8-c336-46fe-8ada-849de5fa2368", "msg_ty)-"
    R"-(pe": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-111111111111", "user)-"
    R"-(name": "", "version": "5.2"}, "metadata": {}, "content": {"execution_state": "id)-"
    R"-(le"}, "buffers": [], "channel": "iopub"})-";
// Its two buffers are left off.
inline constexpr std::string_view kCommOpen =
    R"-({"header": {"msg_id": "17159c93-370eea1e5c9014717f5ca975_81", "msg_type": "comm_)-"
    R"-(open", "username": "username", "session": "17159c93-370eea1e5c9014717f5ca975", ")-"
    R"-(date": "2026-11-26T19:04:49.327614Z", "version": "5.3"}, "msg_id": "17159c93-370)-"
    R"-(eea1e5c9014717f5ca975_81", "msg_type": "comm_open", "parent_header": {"date": "2)-"
    R"-(026-11-26T10:00:00.123000Z", "msg_id": "d8cf0bb8-c336-46fe-8ada-849de5fa2368", ")-"
    R"-(msg_type": "execute_request", "session": "0f2c1f3e-5a36-4b7e-a4c6-111111111111",)-"
    R"-( "username": "", "version": "5.2"}, "metadata": {}, "content": {"data": {"a": 1})-"
    R"-(, "comm_id": "1393599d7f4042fe962a6864bbc70aca", "target_name": "t", "target_mod)-"
    R"-(ule": null}, "channel": "iopub"})-";

// A legacy message with buffers: a big-endian table, the JSON, the buffers (domain G33).
inline std::string with_buffers(std::string_view json, const std::vector<std::string>& buffers) {
  std::string table;
  const auto add = [&table](size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      table += static_cast<char>(value >> shift & 0xff);
    }
  };
  add(buffers.size() + 1);
  size_t at = 4 * (buffers.size() + 2);
  add(at);
  at += json.size();
  std::string rest(json);
  for (const std::string& buffer : buffers) {
    add(at);
    at += buffer.size();
    rest += buffer;
  }
  return table + rest;
}

// The same message in the v1 framing (domain G34), parts as they are written there.
inline std::string v1(std::string_view legacy, const std::vector<std::string>& buffers = {}) {
  const auto message = nlohmann::ordered_json::parse(legacy);
  std::vector<std::string> parts{message["channel"].get<std::string>()};
  for (const char* name : {"header", "parent_header", "metadata", "content"}) {
    parts.push_back(message[name].dump());
  }
  parts.insert(parts.end(), buffers.begin(), buffers.end());
  std::string table;
  const auto add = [&table](uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) table += static_cast<char>(value >> shift & 0xff);
  };
  add(parts.size() + 1);
  uint64_t at = 8 * (parts.size() + 2);
  add(at);
  std::string rest;
  for (const std::string& part : parts) {
    at += part.size();
    add(at);
    rest += part;
  }
  return table + rest;
}

}  // namespace kg::kernel::samples

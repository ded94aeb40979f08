// What controllers remember, as the text of a Secret: what is read is written the same, and a
// compiler that recalls it publishes nothing that its objects do not ask for.
#include "routing/controller/ingress/compiler.h"
#include "routing/controller/ingress/recollection.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using ingress::Json;
using ingress::Kind;

constexpr const char* kOfThisClass = R"({"metadata":{"name":"c","uid":"1"},"spec":{
    "controller":"kernelgate.io/ingress","parameters":{"kind":"ConfigMap","scope":"Namespace",
    "namespace":"p","name":"missing"}}})";
constexpr const char* kClaimsAHost = R"({"metadata":{"name":"i","namespace":"n","uid":"1",
    "annotations":{"kernelgate.io/endpoint-id":"?"}},"spec":{"ingressClassName":"c","rules":[
    {"host":"a.test","http":{"paths":[{"path":"/","pathType":"Prefix",
    "backend":{"service":{"name":"s","port":{"number":80}}}}]}}]}})";

}  // namespace

void run(std::string_view input) {
  const ingress::ReadRecollection read = ingress::read_recollection(input);
  KG_ASSERT(read.recollection.has_value() == read.problem.empty());
  if (!read.recollection) return;
  const ingress::RecollectionText text = ingress::text_of(*read.recollection);
  KG_ASSERT(text.text.size() == input.size() || text.left_out > 0);
  const ingress::ReadRecollection again = ingress::read_recollection(text.text);
  KG_ASSERT(again.recollection);
  KG_ASSERT(text.left_out > 0 || *again.recollection == *read.recollection);
  ingress::Compiler compiler;
  compiler.recall(*read.recollection);
  compiler.put(Kind::kIngressClass, Json::parse(kOfThisClass));
  compiler.put(Kind::kIngress, Json::parse(kClaimsAHost));
  compiler.run();
  for (const feed::Item& item : compiler.items()) KG_ASSERT(item.scope_namespace == "n");
  KG_ASSERT(
      ingress::read_recollection(ingress::text_of(compiler.recollection()).text).recollection);
}

}  // namespace kg::fuzz

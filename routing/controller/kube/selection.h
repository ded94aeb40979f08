// What is listed and watched: objects of one resource, of one namespace or of all. Values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kg::kube {

struct Resource {
  std::string group;  // "networking.k8s.io", "" for the core
  std::string version;
  std::string plural;  // "ingresses"
  std::string kind;    // "Ingress"

  std::string api_version() const;  // "networking.k8s.io/v1"
};

struct Selection {
  Resource resource;
  std::string namespace_name;  // "": all of them, or a resource without
  std::string label_selector;  // "app=gateway,tier!=test", "" for all
  std::string field_selector;  // "metadata.name=revocations", "" for all

  std::string text() const;  // "ingresses.networking.k8s.io in analytics", for logs
};

// Targets below the server's, ready to be sent. `next` is the continue token of the page before.
std::string collection_path(const Resource& resource, std::string_view namespace_name);
std::string list_target(const Selection& selection, uint32_t objects_max, std::string_view next);
std::string watch_target(const Selection& selection, std::string_view resource_version,
                         uint32_t seconds);

}  // namespace kg::kube

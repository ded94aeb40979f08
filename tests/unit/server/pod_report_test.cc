#include "proxy/server/pod_report.h"

#include <gtest/gtest.h>

namespace kg::server::pod_report_test {

TEST(PodReport, SaysWhatIsKnown) {
  PodReport pod;
  pod.endpoint = "ep";
  pod.pod = "jeg-0";
  pod.virtual_cluster = "analytics";
  pod.address = "10.0.0.1:8888";
  pod.healthy = true;
  pod.cordoned = true;
  pod.survives_restart = true;
  pod.restarts = 2;
  pod.launches = 3;
  pod.websockets = 7;
  pod.kernels = kernel::KernelCensus{.busy = 1, .idle = 2, .other = 3, .copies = 4};
  pod.kernels_age_ms = 5'999;
  EXPECT_EQ(pod.json(),
            R"({"endpoint":"ep","pod":"jeg-0","configured":true,"virtual_cluster":"analytics",)"
            R"("address":"10.0.0.1:8888","takes_new_kernels":false,"healthy":true,"gone":false,)"
            R"("cordoned":true,"survives_restart":true,"restarts_suspected":2,"launches":3,)"
            R"("websockets":7,"kernels":{"busy":1,"idle":2,"other":3,"copies":4,"age_seconds":5},)"
            R"("empty":false})");
}

TEST(PodReport, LeavesOutWhatIsNotKnown) {
  PodReport pod;
  pod.takes_new = true;
  EXPECT_EQ(pod.json(),
            R"({"endpoint":"","pod":"","configured":true,"virtual_cluster":"","address":"",)"
            R"("takes_new_kernels":true,"gone":false,"cordoned":false,"restarts_suspected":0,)"
            R"("launches":0,"websockets":0,"kernels":null,"empty":false})");
}

TEST(PodReport, OfAPodThatIsNotConfiguredOnlyItsCordonIsLeft) {
  PodReport pod;
  pod.endpoint = "ep";
  pod.pod = "jeg-2";
  pod.configured = false;
  pod.cordoned = true;
  EXPECT_EQ(pod.json(), R"({"endpoint":"ep","pod":"jeg-2","configured":false,"cordoned":true,)"
                        R"("survives_restart":false})");
}

}  // namespace kg::server::pod_report_test

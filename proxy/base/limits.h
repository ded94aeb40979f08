// Every bound of the program, with unit and reason. What users need to change is a configuration
// key (config/README.md) whose default stands here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kg::limits {

// ---- HTTP/1.1 heads ----
// An ALB passes a request line of 16 KiB and header fields of 64 KiB in all (domain A4, R16).
inline constexpr size_t kRequestLineBytesMax = size_t{16} * 1024;
inline constexpr size_t kHeadBytesMax = size_t{96} * 1024;
inline constexpr size_t kHeaderCountMax = 128;  // browsers send under 40
inline constexpr int kInterimHeadsMax = 32;     // 1xx before an answer: gateways send none or one
inline constexpr size_t kChunkLineBytesMax = 256;             // size and extensions of one chunk
inline constexpr size_t kTrailerBytesMax = size_t{8} * 1024;  // read and dropped

// ---- bodies and flow ----
inline constexpr size_t kNotebookBodyBytesMax = size_t{64} * 1024;  // of a notebook session
inline constexpr size_t kNotebookTextBytesMax = 1'024;              // path, name, type
inline constexpr int kNotebookDepthMax = 16;                        // levels of its JSON
inline constexpr size_t kNotebooksMax = 10'000;                     // sessions known: up to 40 MiB
inline constexpr size_t kNotebooksPerKernelMax = 8;                 // of them, the first included
inline constexpr size_t kCreateBodyBytesMax =
    size_t{1024} * 1024;                           // a kernel start: held whole, parsed once
inline constexpr size_t kLaunchMembersMax = 1024;  // in it: a server forwards under 100 variables
inline constexpr size_t kLaunchValueBytesMax = 4096;  // of a variable, as gateways (domain J11)
inline constexpr size_t kLaunchNamesLoggedMax = 16;   // of variables that were dropped
inline constexpr size_t kLaunchNameBytesShown = 64;   // a longer name is not repeated
inline constexpr size_t kLaunchAnswerBytesMax = size_t{64} * 1024;  // a 201, held whole
inline constexpr size_t kListBytesMax = size_t{8} * 1024 * 1024;    // a list of kernels, held whole
inline constexpr size_t kListVerdictsMax = 4'096;                   // callers and pods, per worker
inline constexpr size_t kListVerdictIdsMax = 100'000;  // ids of all of them: about 10 MiB
inline constexpr size_t kKernelChangesKept = 1'024;    // starts and deletes, per endpoint
inline constexpr size_t kListEntriesMax = 10'000;      // each takes about 250 bytes
inline constexpr size_t kKernelJsonDepthMax = 32;      // levels in what gateways and launches say
inline constexpr size_t kErrorBodyBytesMax =
    size_t{64} * 1024;  // a gateway's error: held whole, reduced to its reason and message
inline constexpr size_t kSpecListBytesMax = size_t{1024} * 1024;  // of kernel specs, held whole
inline constexpr size_t kErrorTextBytesMax = 4096;                // each of these two
inline constexpr size_t kPendingBytesHigh =
    size_t{64} * 1024;  // unsent per direction: stop reading the source
inline constexpr size_t kPendingBytesLow = kPendingBytesHigh / 2;
inline constexpr size_t kReadBurstBytes = size_t{64} * 1024;  // one read call, a worker's scratch
inline constexpr size_t kUnsentCipherBytesMax = size_t{256} * 1024;  // above: the connection closes
inline constexpr uint32_t kBodyMinRate = 500;  // bytes per second: slower than any modem
inline constexpr int kReadsPerTurnMax = 4;     // then other connections get their turn
static_assert(kPendingBytesHigh + kReadBurstBytes <= kUnsentCipherBytesMax / 2 + 1,
              "a burst read just under the high mark must fit, with TLS overhead to spare");

// ---- times (milliseconds) ----
inline constexpr uint32_t kHandshakeMs = 10'000;    // an ALB gives up after 10 s (domain A3)
inline constexpr uint32_t kRequestHeadMs = 30'000;  // from the first byte of a head to its end
inline constexpr uint32_t kBodyStallMs = 60'000;    // no byte of a request body
inline constexpr uint32_t kKeepAliveMs = 75'000;  // above an ALB's idle timeout of 60 s (domain A2)
inline constexpr uint32_t kWriteStallMs = 60'000;      // the client takes too little of an answer
inline constexpr uint32_t kBodySilenceMs = 300'000;    // the gateway pauses inside an answer
inline constexpr uint32_t kUpstreamConnectMs = 5'000;  // default; TLS handshake included
inline constexpr uint32_t kUpstreamQueueMs = 45'000;   // as long as a list may take
inline constexpr uint32_t kListMs = 45'000;            // clients give up at 42 s (domain G14)
inline constexpr uint32_t kDeleteMs = 120'000;         // waits for a running restart (domain 8.1)
inline constexpr uint32_t kUpgradeMs = 75'000;  // a gateway holds the 101 up to 60 s (domain J30)
inline constexpr uint32_t kLaunchMarginMs = 10'000;  // on top of KERNEL_LAUNCH_TIMEOUT (domain R6)
inline constexpr uint32_t kLaunchMsMax = 400'000;    // EMR's maximum (domain E13)
inline constexpr uint32_t kLaunchMsMin = 60'000;
inline constexpr uint32_t kLaunchLookMs = 30'000;    // for a kernel whose start was lost, at least
inline constexpr uint32_t kLaunchLookFirstMs = 250;  // between two looks, twice as long each time
inline constexpr uint32_t kLaunchLookMostMs = 5'000;
inline constexpr uint32_t kOrphanDeleteMs = 300'000;  // then it is left to the gateway's culling
inline constexpr uint32_t kHalfCloseMs = 5'000;       // the other direction after a half-close
inline constexpr uint32_t kCloseBoundaryMs = 1'000;   // wait for a frame boundary before a Close
inline constexpr uint32_t kCloseReplyMs = 3'000;      // wait for the peer's Close after ours
// In a drain: for a gateway's Close after ours. A Jupyter gateway answers in the same turn of its
// loop in which it reads ours, behind what it has said; one that is held up for longer would hold
// up the drain.
inline constexpr uint32_t kPartingMs = 1'000;
inline constexpr uint32_t kDrainIdleSpreadMs =
    30'000;  // clients reconnect within about as long (domain A14)
inline constexpr uint32_t kDrainBusySpreadMs = 10'000;  // before a drain's deadline
inline constexpr uint32_t kPingAfterMs = 25'000;   // of silence; gateways ping at 30 s (domain J32)
inline constexpr uint32_t kClientDeadMs = 75'000;  // of silence in spite of a ping
inline constexpr uint32_t kGatewayDeadMs =
    150'000;  // it may stall 60 s by itself (domain J15, J28)
// A gateway's connection that is lost under an open WebSocket.
inline constexpr uint32_t kReconnectMs = 10'000;    // default: a container restarts in less
inline constexpr uint32_t kReconnectPauseMs = 100;  // before the first try at most, then doubled
inline constexpr uint32_t kReconnectPauseMsMax = 2'000;
inline constexpr uint32_t kReconnectSlowMs = 2'000;  // of a handshake: then the notebook is told
inline constexpr size_t kResendBytesMax =
    size_t{1024} * 1024;  // of a client's message, kept until its last byte went up
inline constexpr uint32_t kPingRetryMs = 1'000;  // inside a frame: look again for its end
inline constexpr uint32_t kLingerMs =
    2'000;  // drop what still comes, so that no RST eats the answer
inline constexpr uint32_t kLingerLongestMs = 30'000;  // anew with each byte, up to this
inline constexpr uint32_t kUpstreamIdleMs =
    300'000;  // default; pooled connections: gateways keep them 3,600 s (domain J2)
inline constexpr uint32_t kListStaleMs = 60'000;  // default; a pod's last list serves in its place
inline constexpr uint32_t kListPatienceMs = 1'000;  // with that, a slow list is waited for so long
inline constexpr uint32_t kKernelListFreshMs =
    1'000;  // a gateway's list serves all of a worker who want it
inline constexpr uint32_t kRevivalMs = 40'000;      // for a gateway to load one, waits included
inline constexpr uint32_t kPlacingListsMs = 5'000;  // for all pods' lists, to find one kernel
inline constexpr uint32_t kTurnWarnMs = 100;        // a loop turn above it is counted

// ---- counts ----
inline constexpr uint32_t kAcceptsPerTurnMax = 64;
inline constexpr uint32_t kDescriptorsLeftMin = 32;     // for all but clients: an eighth of
inline constexpr uint32_t kDescriptorsLeftMax = 1'024;  // all descriptors within these bounds
inline constexpr uint32_t kDescriptorsOwn = 16;         // scrapes, logs, files: not for gateways
inline constexpr uint32_t kAcceptBackoffMs = 100;       // out of descriptors
inline constexpr uint32_t kConnectionsMax = 100'000;    // of the process
inline constexpr uint32_t kConnectionsPerWorkerMax = 20'000;  // memory: about 15 KiB each
inline constexpr uint32_t kConnectionsPerAddressMax = 1'024;  // an office behind one address
inline constexpr uint32_t kRequestsPerClientMax = 1'024;      // at a time, WebSockets among them
// Of one principal at one endpoint, over all workers. No single person opens so many; a program
// that runs away does.
inline constexpr uint32_t kWebSocketsPerPrincipalMax = 1'024;
// A stock Jupyter server has at most 10 requests open (domain G7), and a gateway starts kernels one
// after the other (domain J15).
inline constexpr uint32_t kLaunchesPerPrincipalMax = 16;
// Of one pod, over all workers: more at a time than a gateway can bear (domain J15, J37).
inline constexpr uint32_t kLaunchesMax = 16;
inline constexpr uint32_t kLaunchQueueMax = 256;         // of one endpoint
inline constexpr uint32_t kFollowedLaunchesMax = 4'096;  // per worker: their clients left
inline constexpr size_t kLostLaunchesMax = 1'024;  // of one endpoint: their ids are not used again
inline constexpr uint32_t kUpstreamActivePerPodMax =
    256;  // default; per worker, without open WebSockets
inline constexpr uint32_t kUpstreamIdlePerPodMax = 64;      // per worker
inline constexpr uint32_t kUpstreamQueuePerPodMax = 1'024;  // default; per worker, waiting requests
// Requests sent again, per worker and endpoint: a share of what went up in the window, so that a
// gateway that drops everything is not asked twice for everything, and a few where little goes up.
inline constexpr uint32_t kRetryBudgetPercent = 20;
inline constexpr uint32_t kRetryBudgetMin = 3;  // in each window
inline constexpr uint32_t kRetryWindowSeconds = 10;
// A pod whose requests fail is suspected by the worker that saw it.
inline constexpr uint32_t kOutlierFailures = 5;  // in a row
inline constexpr uint32_t kOutlierBackoffMs = 10'000;
inline constexpr uint32_t kOutlierBackoffMsMax = 300'000;
inline constexpr size_t kKnownKernelsPerPod = 10'000;  // 100 bytes each, per worker
// A gateway loads a kernel in 10 to 60 ms and answers nobody else meanwhile; per worker and pod.
inline constexpr uint32_t kRevivalsAtATime = 4;
inline constexpr size_t kRevivalsWaitingMax = 10'000;
inline constexpr uint32_t kRequestsPerConnectionMax = 100'000;
inline constexpr uint32_t kSessionCacheMax = 8'192;     // verified tokens per worker
inline constexpr uint32_t kSessionRefusalsMax = 1'024;  // and refused ones, 64 bytes each
inline constexpr int64_t kSessionRefusedSeconds = 5;    // so long the same one stays refused

// ---- overload ----
inline constexpr uint32_t kOverloadLookMs = 1'000;
inline constexpr uint32_t kOverloadCalmMs = 5'000;      // no client turned away for so long: over
inline constexpr uint32_t kMemoryPercentOfCgroup = 80;  // the rest: socket buffers, page cache

// ---- sessions ----
inline constexpr size_t kCredentialBytesMax = size_t{16} * 1024;
inline constexpr uint32_t kSessionSecondsDefault = 900;  // domain E14
inline constexpr uint32_t kSessionSecondsMax = 43'200;   // domain E14
inline constexpr uint32_t kClockSkewSeconds = 30;
inline constexpr size_t kSessionAsksMax = 256;        // credentials asked for at a time, per worker
inline constexpr uint32_t kSessionAskMs = 10'000;     // how long a request waits for who sent it
inline constexpr size_t kRevocationsMax = 100'000;    // from the file, and as many by admin calls
inline constexpr size_t kRevocationBytesMax = 4'096;  // one entry
inline constexpr size_t kRevocationNameBytesMax = 256;  // as long as a claim may be
inline constexpr size_t kRevocationFileBytesMax = size_t{32} * 1024 * 1024;
inline constexpr int64_t kRevocationSeconds =
    int64_t{kSessionSecondsMax} + kClockSkewSeconds;  // of an admin call: no token lives longer
inline constexpr size_t kPeekBytesMax =
    size_t{8} * 1024;  // of a kernel message, to tell what it is; held only if it comes in pieces
inline constexpr size_t kPeekFirstBytes = 512;   // usually enough
inline constexpr size_t kCellsFollowedMax = 32;  // of one WebSocket, at a time; others are counted
inline constexpr size_t kAdminKernelsMax = 10'000;           // open WebSockets in one answer
inline constexpr size_t kHeardBytesMax = size_t{64} * 1024;  // of a message, to find its cell
inline constexpr uint32_t kHeardMessagesMax = 64;            // then a notice goes without a cell
inline constexpr uint32_t kNoticeBeforeEndMs = 60'000;  // the last one; sooner in short sessions
inline constexpr uint32_t kKeysLookMs = 10'000;         // whether sessions have to be judged anew
inline constexpr uint32_t kRecheckSpreadMs = 5'000;     // those that do, one after the other
inline constexpr uint32_t kRecheckRetryMs = 30'000;     // nobody could be asked
inline constexpr uint32_t kRenewalRepeatMs = 3'000;     // a person's news to other workers
inline constexpr size_t kRenewalsKept = 8'192;          // people whose news is remembered
inline constexpr uint32_t kExpiryGraceMs = 300'000;
inline constexpr uint32_t kWorkersAnswerMs = 2'000;  // an admin call waits so long for workers
inline constexpr size_t kAdminSubjectsMax = 10'000;  // in one answer

// ---- exchanges of the network thread ----
inline constexpr uint32_t kFetchesMax = 1'000;            // that wait or run
inline constexpr uint32_t kFetchesPerOriginMax = 250;     // of them for one service
inline constexpr uint32_t kFetchesRunning = 256;          // each takes a descriptor
inline constexpr uint32_t kFetchesRunningPerOrigin = 32;  // a slow service leaves room for others
inline constexpr uint32_t kFetchMs = 5'000;               // default; a client waits meanwhile
inline constexpr size_t kFetchHeadBytesMax = size_t{64} * 1024;
inline constexpr size_t kFetchAnswerBytesMax = size_t{64} * 1024;  // default
inline constexpr size_t kUrlBytesMax = 2'048;
static_assert(kFetchesRunningPerOrigin <= kFetchesRunning / 8, "several slow services at once");

// ---- keys and answers of issuers ----
inline constexpr size_t kKeySetBytesMax = size_t{256} * 1024;  // 64 RSA keys of 8192 bits: 100 KiB
inline constexpr uint32_t kKeysFresh = 300;       // seconds; an answer without Cache-Control
inline constexpr uint32_t kKeysFreshMin = 60;     // its max-age counts within these two: a
inline constexpr uint32_t kKeysFreshMax = 3'600;  // withdrawn key is noticed within the hour
inline constexpr uint32_t kKeysRetryMax = 30;     // seconds between tries of an issuer that is down
inline constexpr uint32_t kKeysLearnMs = 10'000;  // between fetches for unknown kids
inline constexpr uint32_t kKeysStale = 43'200;    // default, seconds: no session lives longer
inline constexpr size_t kAlbKeysMax = 64;         // load balancers of a region
inline constexpr size_t kAlbUnknownMax = 256;     // kids that have no key
inline constexpr size_t kAlbFetchesMax = 8;       // at a time
inline constexpr uint32_t kAlbKeyFreshS = 43'200;  // a kid's key does not change: only withdrawn
inline constexpr uint32_t kAlbUnknownS = 60;       // before such a kid is asked for again
inline constexpr size_t kRemoteKnownMax = 8'192;   // credentials that a service judged, each way
inline constexpr uint32_t kRemoteBelievedS = 60;   // default; a good answer
inline constexpr uint32_t kRemoteRefusedS = 5;     // default; a bad one
inline constexpr uint32_t kSourceTickMs = 1'000;   // keys are looked at for their age

// ---- gateway pods, on the control thread ----
inline constexpr uint32_t kCensusMs = 5'000;         // default; from one list to the next
inline constexpr uint32_t kCensusAnswerMs = 10'000;  // a list, whole; a busy gateway is slow
inline constexpr uint32_t kCensusPerSecond = 100;    // of all pods together: 1 ms of CPU each
inline constexpr uint32_t kCensusFreshMs = 60'000;   // what is older is not known any more
inline constexpr uint32_t kCordonSettleMs = 1'000;   // a worker may have looked just before
inline constexpr size_t kCordonsMax = 4'096;
inline constexpr size_t kAdminPodsMax = 10'000;  // in one answer

// ---- TLS ----
inline constexpr size_t kPemBytesMax = size_t{1024} * 1024;  // a certificate, key or CA file
inline constexpr long kTlsSessionSeconds = 7'200;            // a ticket resumes for so long
inline constexpr size_t kTicketKeysMax = 16;                 // a file of ticket keys
inline constexpr uint64_t kTicketKeyRotateMs = 43'200'000;   // 12 h: the key before still opens
inline constexpr uint32_t kFileLookMs = 2'000;               // certificates and keys on disk
inline constexpr int kClientChainMax = 5;                    // certificates between client and CA
inline constexpr long kClientChainBytesMax = long{32} * 1024;
inline constexpr size_t kClientSubjectBytesMax = 1'024;  // a distinguished name in the access log

// ---- access log and audit log ----
inline constexpr size_t kLogFlushBytes = size_t{64} * 1024;
inline constexpr uint32_t kLogFlushMs = 100;
inline constexpr size_t kLogQueueBytesMax =
    size_t{32} * 1024 * 1024;                    // beyond: lines are dropped and counted
inline constexpr size_t kAuditKeyBytesMin = 32;  // of a hash that nobody can try names against

}  // namespace kg::limits

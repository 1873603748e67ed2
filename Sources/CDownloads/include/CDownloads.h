// Transfers by libcurl as plain functions: libcurl's own take variable arguments, which Swift cannot call. libcurl itself
// is opened by the caller, at run time.
//
// A `CTransfers` holds transfers that are under way together, and the connections that they share. All of its
// functions are called on one thread, but for `cdownloads_wake`.
#ifndef CDOWNLOADS_H
#define CDOWNLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CTransfers CTransfers;
typedef struct CTransfer CTransfer;

#pragma clang assume_nonnull begin

/// A request and its receivers. The texts are copied; the functions are called within `cdownloads_work`, and a
/// transfer whose function returns false is given up.
typedef struct {
  const char *address;
  const char *userAgent;
  const char *accept;
  /// "http://host:port", or NULL for none.
  const char *_Nullable proxy;
  /// A file of certificates to trust instead of the system's, or NULL.
  const char *_Nullable certificates;
  /// For a connection to be made.
  int64_t connectMilliseconds;
  void *context;
  /// Whether a connection may be made to this address of 4 or 16 bytes, in network order.
  bool (*mayConnect)(void *context, const uint8_t *address, size_t count);
  /// A line of the answer's head, with its end of line; a line that begins with "HTTP/" begins a head.
  bool (*head)(void *context, const char *line, size_t count);
  /// The next bytes of the answer.
  bool (*body)(void *context, const uint8_t *bytes, size_t count);
} CTransferRequest;

/// libcurl's numbers of the failures that are told apart.
enum {
  CTransferUnknownProxy = 5,
  CTransferUnknownHost = 6,
  CTransferNoConnection = 7,
  CTransferPartial = 18,
  CTransferTimeout = 28,
  CTransferUntrusted = 60,
};

/// Finds libcurl's functions in the library that `dlopen` gave, and starts it. Called once, before all else.
///
/// Returns the name of a function that the library lacks, or NULL.
const char *_Nullable cdownloads_find(void *library);
/// "8.5.0"
const char *cdownloads_version(void);

/// NULL without memory.
CTransfers *_Nullable cdownloads_open(void);
/// Ends all: transfers must have been dropped.
void cdownloads_close(CTransfers *transfers);
/// NULL if libcurl refuses the request.
CTransfer *_Nullable cdownloads_start(CTransfers *transfers, const CTransferRequest *request);
/// Gives a transfer up, or back after its end.
void cdownloads_drop(CTransfers *transfers, CTransfer *transfer);
/// Lets transfers go on, and waits until one can, until the time is over or somebody wakes.
void cdownloads_work(CTransfers *transfers, int32_t milliseconds);
/// A transfer that has ended and was not told of, or NULL. It must be dropped. `code` becomes 0 where the answer is there,
/// whatever its status; else libcurl's number, some of which are above.
CTransfer *_Nullable cdownloads_ended(CTransfers *transfers, int32_t *code);
/// Ends the waiting of `cdownloads_work`. From any thread.
void cdownloads_wake(CTransfers *transfers);
/// libcurl's words on the failure of a transfer that has not been dropped.
const char *cdownloads_reason(CTransfer *transfer, int32_t code);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif

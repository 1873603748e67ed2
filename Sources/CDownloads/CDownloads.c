#include "CDownloads.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "Libcurl.h"

static Libcurl curl;

struct CTransfers {
  void *multi;
};

struct CTransfer {
  void *easy;
  struct curl_slist *headers;
  CTransferRequest request;
  char reason[CURL_ERROR_SIZE];
};

/// Looks a function up and copies its address: C has no conversion between pointers to data and to functions.
static bool find(void *library, const char *name, void *place) {
  void *address = dlsym(library, name);
  memcpy(place, &address, sizeof address);
  return address != NULL;
}

const char *cdownloads_find(void *library) {
#define FIND(result, name, parameters) \
  if (!find(library, #name, &curl.name)) return #name;
  LIBCURL_FUNCTIONS(FIND)
#undef FIND
  return curl.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? NULL : "a working curl_global_init";
}

const char *cdownloads_version(void) { return curl.curl_version(); }

CTransfers *cdownloads_open(void) {
  CTransfers *transfers = calloc(1, sizeof *transfers);
  if (!transfers) return NULL;
  transfers->multi = curl.curl_multi_init();
  if (!transfers->multi) {
    free(transfers);
    return NULL;
  }
  return transfers;
}

void cdownloads_close(CTransfers *transfers) {
  curl.curl_multi_cleanup(transfers->multi);
  free(transfers);
}

static int open_socket(void *context, int purpose, struct curl_sockaddr *address) {
  const CTransfer *transfer = context;
  const void *generic = &address->addr;
  const uint8_t *bytes = NULL;
  size_t count = 0;
  (void)purpose;
  if (address->family == AF_INET) {
    bytes = (const uint8_t *)&((const struct sockaddr_in *)generic)->sin_addr;
    count = 4;
  } else if (address->family == AF_INET6) {
    bytes = (const uint8_t *)&((const struct sockaddr_in6 *)generic)->sin6_addr;
    count = 16;
  }
  if (!bytes || !transfer->request.mayConnect(transfer->request.context, bytes, count)) return -1;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t receive_head(char *bytes, size_t size, size_t items, void *context) {
  const CTransfer *transfer = context;
  return transfer->request.head(transfer->request.context, bytes, size * items) ? size * items : 0;
}

static size_t receive_body(char *bytes, size_t size, size_t items, void *context) {
  const CTransfer *transfer = context;
  const bool goes_on =
      transfer->request.body(transfer->request.context, (const uint8_t *)bytes, size * items);
  return goes_on ? size * items : 0;
}

static bool configure(CTransfer *transfer) {
  const CTransferRequest *request = &transfer->request;
  void *easy = transfer->easy;
  int code = 0;
#define SET(option, value) code |= curl.curl_easy_setopt(easy, option, value)
  SET(CURLOPT_URL, request->address);
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
  SET(CURLOPT_USERAGENT, request->userAgent);
  SET(CURLOPT_HTTPHEADER, transfer->headers);
  // Named in any case, so that libcurl does not look for others in the environment.
  SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
  SET(CURLOPT_NOPROXY, "");
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (request->certificates) SET(CURLOPT_CAINFO, request->certificates);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connectMilliseconds);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_ERRORBUFFER, transfer->reason);
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  SET(CURLOPT_OPENSOCKETDATA, transfer);
  SET(CURLOPT_HEADERFUNCTION, receive_head);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_WRITEFUNCTION, receive_body);
  SET(CURLOPT_WRITEDATA, transfer);
#undef SET
  return code == CURLE_OK;
}

/// Gives back what a transfer holds.
static void release(CTransfer *transfer) {
  if (transfer->easy) curl.curl_easy_cleanup(transfer->easy);
  curl.curl_slist_free_all(transfer->headers);
  free(transfer);
}

CTransfer *cdownloads_start(CTransfers *transfers, const CTransferRequest *request) {
  CTransfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->request = *request;
  transfer->easy = curl.curl_easy_init();
  transfer->headers = curl.curl_slist_append(NULL, request->accept);
  const bool is_ready = transfer->easy && transfer->headers && configure(transfer) &&
                        curl.curl_multi_add_handle(transfers->multi, transfer->easy) == 0;
  // libcurl has copies of the texts.
  transfer->request.address = transfer->request.userAgent = transfer->request.accept = "";
  transfer->request.proxy = transfer->request.certificates = NULL;
  if (is_ready) return transfer;
  release(transfer);
  return NULL;
}

void cdownloads_drop(CTransfers *transfers, CTransfer *transfer) {
  curl.curl_multi_remove_handle(transfers->multi, transfer->easy);
  release(transfer);
}

void cdownloads_work(CTransfers *transfers, int32_t milliseconds) {
  int running = 0;
  curl.curl_multi_perform(transfers->multi, &running);
  curl.curl_multi_poll(transfers->multi, NULL, 0, milliseconds, NULL);
  curl.curl_multi_perform(transfers->multi, &running);
}

CTransfer *cdownloads_ended(CTransfers *transfers, int32_t *code) {
  int left = 0;
  struct CURLMsg *message;
  while ((message = curl.curl_multi_info_read(transfers->multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    CTransfer *transfer = NULL;
    curl.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    if (!transfer) continue;
    *code = message->data.result;
    return transfer;
  }
  return NULL;
}

void cdownloads_wake(CTransfers *transfers) { curl.curl_multi_wakeup(transfers->multi); }

const char *cdownloads_reason(CTransfer *transfer, int32_t code) {
  return transfer->reason[0] ? transfer->reason : curl.curl_easy_strerror(code);
}

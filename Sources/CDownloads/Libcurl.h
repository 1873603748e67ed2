// The part of libcurl's C interface that is used here; libcurl has kept it since version 7.68. The functions are found at
// run time, so that nothing is built with its headers and a program starts without libcurl. Scripts/check-curl
// compares these lines with the headers.
#ifndef LIBCURL_H
#define LIBCURL_H

#include <stddef.h>

/// CONSTANT(name, value)
#define LIBCURL_CONSTANTS(CONSTANT)           \
  CONSTANT(CURL_GLOBAL_DEFAULT, 3)            \
  CONSTANT(CURLE_OK, 0)                       \
  CONSTANT(CURLE_COULDNT_RESOLVE_PROXY, 5)    \
  CONSTANT(CURLE_COULDNT_RESOLVE_HOST, 6)     \
  CONSTANT(CURLE_COULDNT_CONNECT, 7)          \
  CONSTANT(CURLE_PARTIAL_FILE, 18)            \
  CONSTANT(CURLE_OPERATION_TIMEDOUT, 28)      \
  CONSTANT(CURLE_PEER_FAILED_VERIFICATION, 60) \
  CONSTANT(CURL_ERROR_SIZE, 256)              \
  CONSTANT(CURLPROTO_HTTP, 1)                 \
  CONSTANT(CURLPROTO_HTTPS, 2)                \
  CONSTANT(CURLMSG_DONE, 1)                   \
  CONSTANT(CURLINFO_PRIVATE, 0x100000 + 21)   \
  CONSTANT(CURLOPT_NOSIGNAL, 99)              \
  CONSTANT(CURLOPT_CONNECTTIMEOUT_MS, 156)    \
  CONSTANT(CURLOPT_PROTOCOLS, 181)            \
  CONSTANT(CURLOPT_SUPPRESS_CONNECT_HEADERS, 265) \
  CONSTANT(CURLOPT_WRITEDATA, 10001)          \
  CONSTANT(CURLOPT_URL, 10002)                \
  CONSTANT(CURLOPT_PROXY, 10004)              \
  CONSTANT(CURLOPT_ERRORBUFFER, 10010)        \
  CONSTANT(CURLOPT_USERAGENT, 10018)          \
  CONSTANT(CURLOPT_HTTPHEADER, 10023)         \
  CONSTANT(CURLOPT_HEADERDATA, 10029)         \
  CONSTANT(CURLOPT_CAINFO, 10065)             \
  CONSTANT(CURLOPT_PRIVATE, 10103)            \
  CONSTANT(CURLOPT_OPENSOCKETDATA, 10164)     \
  CONSTANT(CURLOPT_NOPROXY, 10177)            \
  CONSTANT(CURLOPT_WRITEFUNCTION, 20011)      \
  CONSTANT(CURLOPT_HEADERFUNCTION, 20079)     \
  CONSTANT(CURLOPT_OPENSOCKETFUNCTION, 20163)

/// FUNCTION(result, name, parameters). Enumerations are passed as int, and handles as pointers to void.
#define LIBCURL_FUNCTIONS(FUNCTION)                                                      \
  FUNCTION(int, curl_global_init, (long))                                                \
  FUNCTION(char *, curl_version, (void))                                                 \
  FUNCTION(const char *, curl_easy_strerror, (int))                                      \
  FUNCTION(void *, curl_easy_init, (void))                                               \
  FUNCTION(int, curl_easy_setopt, (void *, int, ...))                                    \
  FUNCTION(int, curl_easy_getinfo, (void *, int, ...))                                   \
  FUNCTION(void, curl_easy_cleanup, (void *))                                            \
  FUNCTION(struct curl_slist *, curl_slist_append, (struct curl_slist *, const char *))  \
  FUNCTION(void, curl_slist_free_all, (struct curl_slist *))                             \
  FUNCTION(void *, curl_multi_init, (void))                                              \
  FUNCTION(int, curl_multi_cleanup, (void *))                                            \
  FUNCTION(int, curl_multi_add_handle, (void *, void *))                                 \
  FUNCTION(int, curl_multi_remove_handle, (void *, void *))                              \
  FUNCTION(int, curl_multi_perform, (void *, int *))                                     \
  FUNCTION(int, curl_multi_poll, (void *, struct curl_waitfd *, unsigned, int, int *))   \
  FUNCTION(int, curl_multi_wakeup, (void *))                                             \
  FUNCTION(struct CURLMsg *, curl_multi_info_read, (void *, int *))

#ifndef LIBCURL_NAMES_ONLY

struct curl_slist;
struct curl_waitfd;

#define CONSTANT(name, value) name = value,
enum { LIBCURL_CONSTANTS(CONSTANT) };
#undef CONSTANT

/// How a transfer ended.
struct CURLMsg {
  int msg;
  void *easy_handle;
  union {
    void *whatever;
    int result;
  } data;
};

/// The address that a connection is about to be made to.
struct curl_sockaddr {
  int family, socktype, protocol;
  unsigned addrlen;
  struct {
    unsigned short family;
    char data[14];
  } addr;
};

#define MEMBER(result, name, parameters) result(*name) parameters;
/// libcurl's functions, under their own names.
typedef struct {
  LIBCURL_FUNCTIONS(MEMBER)
} Libcurl;
#undef MEMBER

#endif
#endif

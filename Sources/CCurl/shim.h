#include <curl/curl.h>

// Types of libcurl, which is loaded when it is first needed. `curl_easy_setopt` and `curl_easy_getinfo` are
// variadic, which Swift cannot call: one wrapper for each type of argument. They are passed on as functions
// without arguments.
typedef void (*swiftlet_curl_variadic)(void);

#define swiftlet_setopt(f) ((CURLcode(*)(CURL *, CURLoption, ...))(f))

static inline CURLcode swiftlet_curl_set_string(swiftlet_curl_variadic f, CURL *c, CURLoption o,
                                                const char *v) {
  return swiftlet_setopt(f)(c, o, v);
}
static inline CURLcode swiftlet_curl_set_long(swiftlet_curl_variadic f, CURL *c, CURLoption o,
                                              long v) {
  return swiftlet_setopt(f)(c, o, v);
}
static inline CURLcode swiftlet_curl_set_pointer(swiftlet_curl_variadic f, CURL *c, CURLoption o,
                                                 void *v) {
  return swiftlet_setopt(f)(c, o, v);
}
typedef size_t (*swiftlet_curl_data)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode swiftlet_curl_set_data(swiftlet_curl_variadic f, CURL *c, CURLoption o,
                                              swiftlet_curl_data v) {
  return swiftlet_setopt(f)(c, o, v);
}
typedef int (*swiftlet_curl_progress)(void *context, curl_off_t total, curl_off_t now,
                                      curl_off_t up_total, curl_off_t up_now);
static inline CURLcode swiftlet_curl_set_progress(swiftlet_curl_variadic f, CURL *c,
                                                  swiftlet_curl_progress v) {
  return swiftlet_setopt(f)(c, CURLOPT_XFERINFOFUNCTION, v);
}
static inline long swiftlet_curl_response_code(swiftlet_curl_variadic f, CURL *c) {
  long code = 0;
  ((CURLcode(*)(CURL *, CURLINFO, ...))f)(c, CURLINFO_RESPONSE_CODE, &code);
  return code;
}
static const long swiftlet_curl_auth_bearer = CURLAUTH_BEARER;

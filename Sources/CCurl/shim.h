#include <curl/curl.h>

// `curl_easy_setopt` and `curl_easy_getinfo` are variadic, which Swift cannot call: one wrapper for
// each type of argument.
static inline CURLcode swiftlet_curl_set_string(CURL *c, CURLoption o, const char *v) {
  return curl_easy_setopt(c, o, v);
}
static inline CURLcode swiftlet_curl_set_long(CURL *c, CURLoption o, long v) {
  return curl_easy_setopt(c, o, v);
}
static inline CURLcode swiftlet_curl_set_pointer(CURL *c, CURLoption o, void *v) {
  return curl_easy_setopt(c, o, v);
}
typedef size_t (*swiftlet_curl_data)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode swiftlet_curl_set_data(CURL *c, CURLoption o, swiftlet_curl_data f) {
  return curl_easy_setopt(c, o, f);
}
typedef int (*swiftlet_curl_progress)(void *context, curl_off_t total, curl_off_t now,
                                      curl_off_t up_total, curl_off_t up_now);
static inline CURLcode swiftlet_curl_set_progress(CURL *c, swiftlet_curl_progress f) {
  return curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, f);
}
static inline long swiftlet_curl_response_code(CURL *c) {
  long code = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

// The token goes out as a bearer token and, unlike a header, to no other host.
static inline CURLcode swiftlet_curl_set_bearer(CURL *c, const char *token) {
  CURLcode code = curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
  return code == CURLE_OK ? curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, token) : code;
}

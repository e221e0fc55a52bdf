#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* What an address gave: bytes of its own (free(3)), or an error. curl_easy_setopt(3) is variadic, which Swift cannot call. */
struct ccurl_answer {
    char *bytes;
    size_t count;
    long status;
    CURLcode code;
    char error[CURL_ERROR_SIZE];
};

enum { CCURL_LIMIT = 1 << 20 };

static size_t ccurl_take(char *data, size_t one, size_t count, void *to) {
    struct ccurl_answer *answer = to;
    size_t more = one * count;
    if (more > CCURL_LIMIT - answer->count) return 0;  /* ends the transfer with CURLE_WRITE_ERROR */
    char *bytes = realloc(answer->bytes, answer->count + more + 1);
    if (!bytes) return 0;
    memcpy(bytes + answer->count, data, more);
    answer->bytes = bytes;
    answer->count += more;
    return more;
}

/* 1: https; 0: http to this machine itself; -1: neither. libcurl's own parser says what it would connect to. */
static inline int ccurl_is_secure(const char *address) {
    CURLU *url = curl_url();
    char *scheme = 0, *host = 0;
    int result = -1;
    if (url && !curl_url_set(url, CURLUPART_URL, address, 0) && !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0)
        && !curl_url_get(url, CURLUPART_HOST, &host, 0)) {
        if (!strcmp(scheme, "https")) result = 1;
        else if (!strcmp(scheme, "http") && (!strcmp(host, "127.0.0.1") || !strcmp(host, "[::1]") || !strcmp(host, "localhost"))) result = 0;
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    return result;
}

/* One GET, without redirections: keys come from where they were said to be, or not at all. */
static inline struct ccurl_answer ccurl_get(const char *address) {
    struct ccurl_answer answer = {.code = CURLE_FAILED_INIT};
    int secure = ccurl_is_secure(address);
    CURL *curl = curl_easy_init();
    if (!curl || secure < 0) {
        curl_easy_cleanup(curl);
        return answer;
    }
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http");
    if (!secure) curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sandbox");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, answer.error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ccurl_take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    answer.code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    if (answer.code && !answer.error[0]) strncpy(answer.error, curl_easy_strerror(answer.code), sizeof answer.error - 1);
    curl_easy_cleanup(curl);
    return answer;
}

/*
 * json_rpc.h - JSON-RPC 2.0 as PROTOCOL.md narrows it: a line of text into a
 * checked request, results and errors into a line of text.
 *
 * Pure; knows no method by name. Lines made here are malloc'ed, end with '\n'
 * and are freed by the caller; NULL means out of memory.
 */
#ifndef VHOSTKIT_JSON_RPC_H
#define VHOSTKIT_JSON_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "port/port_config.h"

#define REQUEST_SIZE_MAX 65536u /* without the '\n' */

enum rpc_code {
    RPC_REFUSED = 1,           /* by the switch itself; `refusal` says why */
    RPC_NOT_JSON = -32700,
    RPC_NOT_REQUEST = -32600,
    RPC_NO_METHOD = -32601,
    RPC_PARAMS = -32602,
    RPC_INTERNAL = -32603,
};

/* Why a request gets no result. */
struct rpc_error {
    int code;               /* enum rpc_code */
    char message[256];      /* one sentence; not used with RPC_REFUSED */
    struct refusal refusal; /* only with RPC_REFUSED */
};

/* Fills an error; always returns NULL, so that a method can `return rpc_fail(...)`. */
__attribute__((format(printf, 3, 4))) json_t *
rpc_fail(struct rpc_error *error, int code, const char *format, ...);
/* The same with the refusal that is in the error already. */
json_t *rpc_refuse(struct rpc_error *error);

/* A parsed request. The strings belong to `root`. */
struct rpc_request {
    json_t *root;
    json_t *id;         /* string, number or null; NULL when unknown */
    const char *method;
    json_t *params;     /* an object; NULL when left out */
};

/* Fills request and returns true, or fills error (and request->id as far as known). */
bool rpc_parse(const char *line, size_t length, struct rpc_request *request, struct rpc_error *error);
void rpc_request_free(struct rpc_request *request);

enum rpc_param_type { RPC_STRING, RPC_INTEGER, RPC_OBJECT, RPC_ARRAY };

/* One parameter that a method takes. */
struct rpc_param {
    const char *name;           /* NULL ends a list */
    enum rpc_param_type type;
    bool required;
};

/* Every parameter known, of its type, none missing. */
bool rpc_params_fit(const json_t *params, const struct rpc_param *known, struct rpc_error *error);

/* Takes the reference to result, which may be NULL when it could not be made. */
char *rpc_result_line(const json_t *id, json_t *result);
char *rpc_error_line(const json_t *id, const struct rpc_error *error);
/* Takes the reference to params. */
char *rpc_notification_line(const char *method, json_t *params);

/* A JSON string of any text; bytes that are not UTF-8 become '?'. NULL gives null. */
json_t *rpc_text(const char *text);

#endif

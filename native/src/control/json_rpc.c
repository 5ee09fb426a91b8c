/*
 * json_rpc.c - see json_rpc.h.
 *
 * Owns nothing; control thread only. It relies on jansson to refuse what is
 * not UTF-8, has NUL in a string, is nested deeper than 2048 or has numbers
 * out of range, and asks it to refuse keys that stand twice.
 */
#include "control/json_rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *rpc_fail(struct rpc_error *error, int code, const char *format, ...)
{
    va_list arguments;
    error->code = code;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return NULL;
}

json_t *rpc_refuse(struct rpc_error *error)
{
    error->code = RPC_REFUSED;
    return NULL;
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number with a fraction";
    case JSON_NULL: return "null";
    default: return "a boolean";
    }
}

/* The id first, so that an error about the rest can name it. */
static bool take_id(struct rpc_request *request, struct rpc_error *error)
{
    json_t *id = json_object_get(request->root, "id");
    if (!id) {
        rpc_fail(error, RPC_NOT_REQUEST, "\"id\" is missing; notifications are not served, as nobody would "
                                         "learn of a failure");
        return false;
    }
    if (!json_is_string(id) && !json_is_number(id) && !json_is_null(id)) {
        rpc_fail(error, RPC_NOT_REQUEST, "\"id\" must be a string, a number or null, found %s",
                 type_name(id));
        return false;
    }
    request->id = id;
    return true;
}

static bool take_members(struct rpc_request *request, struct rpc_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach(request->root, key, value) {
        if (strcmp(key, "jsonrpc") != 0 && strcmp(key, "id") != 0 && strcmp(key, "method") != 0 &&
            strcmp(key, "params") != 0) {
            rpc_fail(error, RPC_NOT_REQUEST, "\"%.60s\" is not a member of a request", key);
            return false;
        }
    }
    const char *version = json_string_value(json_object_get(request->root, "jsonrpc"));
    if (!version || strcmp(version, "2.0") != 0) {
        rpc_fail(error, RPC_NOT_REQUEST, "\"jsonrpc\" must be \"2.0\"");
        return false;
    }
    request->method = json_string_value(json_object_get(request->root, "method"));
    if (!request->method) {
        rpc_fail(error, RPC_NOT_REQUEST, "\"method\" must be a string");
        return false;
    }
    request->params = json_object_get(request->root, "params");
    if (request->params && !json_is_object(request->params)) {
        rpc_fail(error, RPC_PARAMS, "\"params\" must be an object, found %s", type_name(request->params));
        return false;
    }
    return true;
}

bool rpc_parse(const char *line, size_t length, struct rpc_request *request, struct rpc_error *error)
{
    memset(request, 0, sizeof *request);
    if (length > REQUEST_SIZE_MAX) {
        rpc_fail(error, RPC_NOT_REQUEST, "a request has at most %u bytes", REQUEST_SIZE_MAX);
        return false;
    }
    json_error_t where;
    request->root = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!request->root) {
        rpc_fail(error, RPC_NOT_JSON, "not one JSON object a line: %s, at byte %d", where.text,
                 where.position);
        return false;
    }
    if (!json_is_object(request->root)) {
        rpc_fail(error, RPC_NOT_REQUEST, "a request is an object, found %s", type_name(request->root));
        return false;
    }
    return take_id(request, error) && take_members(request, error);
}

void rpc_request_free(struct rpc_request *request)
{
    json_decref(request->root);
    memset(request, 0, sizeof *request);
}

static const struct rpc_param *find_param(const struct rpc_param *known, const char *name)
{
    for (; known->name; known++) {
        if (strcmp(known->name, name) == 0)
            return known;
    }
    return NULL;
}

static const char *const param_type_name[] = {
    [RPC_STRING] = "a string", [RPC_INTEGER] = "an integer", [RPC_OBJECT] = "an object",
    [RPC_ARRAY] = "an array",
};

static bool param_type_fits(enum rpc_param_type type, const json_t *value)
{
    if (type == RPC_STRING)
        return json_is_string(value);
    if (type == RPC_ARRAY)
        return json_is_array(value);
    return type == RPC_INTEGER ? json_is_integer(value) : json_is_object(value);
}

bool rpc_params_fit(const json_t *params, const struct rpc_param *known, struct rpc_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)params, key, value) {
        const struct rpc_param *param = find_param(known, key);
        if (!param) {
            rpc_fail(error, RPC_PARAMS, "there is no parameter \"%.60s\"", key);
            return false;
        }
        if (!param_type_fits(param->type, value)) {
            rpc_fail(error, RPC_PARAMS, "\"%s\" must be %s, found %s", key, param_type_name[param->type],
                     type_name(value));
            return false;
        }
    }
    for (; known->name; known++) {
        if (known->required && !json_object_get(params, known->name)) {
            rpc_fail(error, RPC_PARAMS, "\"%s\" is missing", known->name);
            return false;
        }
    }
    return true;
}

/* Takes the reference to object. */
static char *line_of(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!text)
        return NULL;
    size_t length = strlen(text);
    char *line = realloc(text, length + 2);
    if (!line) {
        free(text);
        return NULL;
    }
    memcpy(line + length, "\n", 2);
    return line;
}

static json_t *id_or_null(const json_t *id)
{
    return id ? json_incref((json_t *)id) : json_null();
}

char *rpc_result_line(const json_t *id, json_t *result)
{
    if (!result) {
        struct rpc_error error;
        rpc_fail(&error, RPC_INTERNAL, "out of memory");
        return rpc_error_line(id, &error);
    }
    return line_of(json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", id_or_null(id), "result", result));
}

static json_t *refusal_message(const struct refusal *refusal)
{
    char text[sizeof refusal->wanted + sizeof refusal->found + 64];
    snprintf(text, sizeof text, "%s: wanted %s%s%s", refusal->reason, refusal->wanted,
             refusal->found[0] ? ", found " : "", refusal->found);
    return rpc_text(text);
}

static json_t *error_object(const struct rpc_error *error)
{
    if (error->code != RPC_REFUSED)
        return json_pack("{s:i, s:o}", "code", error->code, "message", rpc_text(error->message));
    const struct refusal *refusal = &error->refusal;
    return json_pack("{s:i, s:o, s:{s:s, s:o, s:o, s:o}}", "code", error->code, "message",
                     refusal_message(refusal), "data", "reason", refusal->reason, "wanted",
                     rpc_text(refusal->wanted), "found", rpc_text(refusal->found), "hint",
                     rpc_text(refusal->hint));
}

char *rpc_error_line(const json_t *id, const struct rpc_error *error)
{
    return line_of(json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", id_or_null(id), "error",
                             error_object(error)));
}

char *rpc_notification_line(const char *method, json_t *params)
{
    return line_of(json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params));
}

json_t *rpc_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *string = json_string(text);
    if (string)
        return string;
    char *plain = strdup(text);
    if (!plain)
        return NULL;
    for (char *c = plain; *c; c++) {
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    }
    string = json_string(plain);
    free(plain);
    return string;
}

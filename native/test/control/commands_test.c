/*
 * commands_test.c - every method and every refusal, in process, over a
 * pretended datapath and a real state file.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/commands.h"
#include "control/event_loop.h"
#include "control/json_rpc.h"
#include "log.h"
#include "pretended_datapath.h"

static struct commander commander;
static char folder[64], path[96];
static struct answer_effect effect;

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/vhostkit-commands-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    commander = (struct commander){ .loop = event_loop_create(), .datapath = pretended_datapath(),
                                    .state_path = path, .supervision = { 41, 3, 2, "SIGSEGV after 3 ms" },
                                    .service = true, .watchdog_ms = 5000,
                                    .started_ns = event_loop_now() };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    commander_free(&commander);
    event_loop_destroy(commander.loop);
    pretended_datapath_free();
    unlink(path);
    rmdir(folder);
    return 0;
}

/* The answer as JSON; it must be one line of it, whatever was asked. */
static json_t *ask_bytes(const char *line, size_t length)
{
    effect = (struct answer_effect){ 0 };
    char *text = command_handle(&commander, line, length, &effect);
    assert_non_null(text);
    assert_int_equal(strchr(text, '\n') - text, strlen(text) - 1);
    json_t *answer = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(answer);
    return answer;
}

static json_t *ask(const char *method, const char *params)
{
    char line[1024];
    int length = snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\","
                                             "\"params\":%s}", method,
                          params);
    json_t *answer = ask_bytes(line, (size_t)length);
    assert_int_equal(json_integer_value(json_object_get(answer, "id")), 7);
    return answer;
}

/* Asks and compares the result with JSON written with ' for ". */
static void assert_result(const char *method, const char *params, const char *expected)
{
    json_t *answer = ask(method, params);
    char *text = strdup(expected);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *wanted = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(wanted);
    if (!json_equal(json_object_get(answer, "result"), wanted)) {
        char *found = json_dumps(answer, 0);
        print_error("%s %s: expected %s, found %s\n", method, params, text, found);
        free(found);
        fail();
    }
    json_decref(wanted);
    json_decref(answer);
    free(text);
}

/* code, and `part`: the reason with code 1, otherwise part of the message. Takes the answer. */
static void assert_error(json_t *answer, int code, const char *part, const char *line)
{
    const json_t *error = json_object_get(answer, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    const json_t *data = json_object_get(error, "data");
    const char *reason = json_string_value(json_object_get(data, "reason"));
    if (json_integer_value(json_object_get(error, "code")) != code || !message ||
        !(code == 1 ? reason && strcmp(reason, part) == 0 : strstr(message, part) != NULL)) {
        char *found = json_dumps(answer, 0);
        print_error("%.200s: expected %d %s, found %s\n", line, code, part, found);
        free(found);
        fail();
    }
    if (code == 1) {
        assert_true(json_string_length(json_object_get(data, "wanted")) > 0);
        assert_true(json_string_length(json_object_get(data, "hint")) > 0);
        assert_non_null(json_object_get(data, "found"));
    } else {
        assert_null(data);
    }
    json_decref(answer);
}

static void refused(const char *method, const char *params, int code, const char *part)
{
    assert_error(ask(method, params), code, part, params);
}

static void add(const char *name)
{
    char params[256];
    snprintf(params, sizeof params, "{\"name\":\"%s\",\"kind\":\"vhost-user\",\"network\":\"lan\","
                                    "\"socket\":\"/s/%s\"}",
             name, name);
    json_t *answer = ask("port.add", params);
    assert_non_null(json_object_get(answer, "result"));
    json_decref(answer);
}

static unsigned saved_count(void)
{
    struct state saved;
    char why[256];
    assert_true(state_read(path, &saved, why, sizeof why));
    unsigned count = saved.count;
    state_free(&saved);
    return count;
}

#define VM_PORT \
    "'kind':'vhost-user','network':'lan','socket':'/s/vm','role':'client','ifname':null,'queues':2," \
    "'mtu':1500," \
    "'mac_limit':1024,'state':'broken','connects':3,'last_error':'went away: ?','features':{'offered':" \
    "'0x130008000','negotiated':'0x8000000100008000','names':['VIRTIO_NET_F_MRG_RXBUF'," \
    "'VIRTIO_F_VERSION_1'," \
    "'bit 63']},'memory':{'regions':2,'bytes':8589934592,'node':1,'remote':2,'strays':3},'rings':[{'index':0,'size':256," \
    "'started':true," \
    "'enabled':true,'broken':null,'worker':-1},{'index':1,'size':128,'started':true,'enabled':false," \
    "'broken':" \
    "'bad_index','worker':0}]"

static void ports_are_added_listed_and_deleted(void **state)
{
    (void)state;
    assert_result("port.list", "{}", "{'ports':[]}");
    assert_result("port.add", "{\"name\":\"vm\",\"kind\":\"vhost-user\",\"network\":\"lan\",\"socket\":"
                              "\"/s/vm\",\"queues\":2}",
                  "{'port':{'name':'vm'," VM_PORT "}}");
    assert_result("port.add", "{\"name\":\"host\",\"kind\":\"tap\",\"network\":\"lan\",\"ifname\":"
                              "\"t0\",\"mtu\":9000,\"mac_limit\":5}",
                  "{'port':{'name':'host','kind':'tap','network':'lan','socket':null,'role':null,"
                  "'ifname':'t0',"
                  "'queues':1,'mtu':9000,'mac_limit':5,'state':'broken','connects':3,'last_error':"
                  "'went away: ?',"
                  "'features':null,'memory':null,'rings':[]}}");
    assert_int_equal(saved_count(), 2);
    assert_result("port.list", "{\"name\":\"vm\"}", "{'ports':[{'name':'vm'," VM_PORT "}]}");
    refused("port.list", "{\"name\":\"nobody\"}", 1, "port-unknown");
    assert_result("port.del", "{\"name\":\"vm\"}", "{}");
    refused("port.del", "{\"name\":\"vm\"}", 1, "port-unknown");
    assert_int_equal(saved_count(), 1);
    assert_int_equal(pretended.removed, 1);
}

/* The policy of the only port in the state file. */
static struct port_policy saved_policy(void)
{
    struct state saved;
    char why[256];
    assert_true(state_read(path, &saved, why, sizeof why));
    assert_int_equal(saved.count, 1);
    struct port_policy policy = saved.ports[0].policy;
    state_free(&saved);
    return policy;
}

static void a_policy_is_set_whole_and_saved(void **state)
{
    (void)state;
    add("vm");
    json_decref(ask("port.set", "{\"name\":\"vm\",\"policy\":{\"isolated\":true,\"storm\":5}}"));
    assert_true(saved_policy().isolated);
    json_decref(ask("port.set", "{\"name\":\"vm\",\"policy\":{\"storm\":7}}"));
    assert_false(saved_policy().isolated);
    assert_int_equal(saved_policy().storm, 7);
    refused("port.set", "{\"name\":\"vm\",\"policy\":{\"storm\":0}}", 1, "value-invalid");
    refused("port.set", "{\"name\":\"vm\",\"policy\":{\"colour\":1}}", 1, "value-invalid");
    refused("port.set", "{\"name\":\"other\",\"policy\":{}}", 1, "port-unknown");
    refused("port.set", "{\"name\":\"vm\"}", RPC_PARAMS, "\"policy\" is missing");
    pretended.refuse = "mirror-loop";
    refused("port.set", "{\"name\":\"vm\",\"policy\":{\"isolated\":true}}", 1, "mirror-loop");
    assert_int_equal(saved_policy().storm, 7);
    assert_int_equal(port_config_of(datapath_find_port(commander.datapath, "vm"))->policy.storm, 7);
    json_decref(ask("port.set", "{\"name\":\"vm\",\"policy\":{}}"));
    assert_int_equal(saved_policy().storm, 0);
}

static void macs_stats_and_workers(void **state)
{
    (void)state;
    add("vm");
    assert_result("mac.list", "{}", "{'macs':[{'network':'lan','mac':'52:54:00:00:ab:01','vlan':10,'port':'vm',"
                                    "'age_s':7}]}");
    assert_result("mac.list", "{\"network\":\"wan\"}", "{'macs':[]}");
    assert_result("worker.list", "{}", "{'workers':[{'id':0,'core':2,'node':1,'sources':1,'rounds':9,"
                                       "'busy_ms':8,'load':250,"
                                       "'sleeps':7,'state':'sleeping',"
                                       "'queues':[{'port':'vm','queue':1,'load':240}]}]}");
    assert_result("stats.get", "{\"port\":\"vm\"}",
                  "{'ports':[{'name':'vm','rx':{'frames':1,'bytes':100},'tx':{'frames':2,'bytes':200},"
                  "'drops':{"
                  "'runt':0,'too_big':0,'mtu':2,'csum_header':0,'gso_header':0,'source_mac':0,'vlan':0,'spoof':0,"
                  "'isolated':0,'storm':0,'rate_rx':0,'rate_tx':0,'mirror':0,'hairpin':0,"
                  "'no_destination':0,'tx_disabled':0,'rx_not_ready':0,'rx_no_room':0,'rx_pages':0,'rx_broken':0,"
                  "'rx_offload':0,'tap':0},'retry':{'tried':0,'delivered':0},'queues':[{'index':0,'frames':2,'bytes':200,'kicks':5,'calls':6},"
                  "{'index':1,'frames':1,'bytes':100,'kicks':5,'calls':6}]}]}");
    refused("stats.get", "{\"port\":\"nobody\"}", 1, "port-unknown");
}

static void info_tells_of_the_program(void **state)
{
    (void)state;
    add("vm");
    json_t *answer = ask("switch.info", "{}"), *info = json_object_get(answer, "result");
    assert_int_equal(json_object_size(info), 14);
    assert_int_equal(json_integer_value(json_object_get(info, "pid")), getpid());
    assert_int_equal(json_integer_value(json_object_get(info, "supervisor_pid")), 41);
    assert_int_equal(json_integer_value(json_object_get(info, "starts")), 3);
    assert_int_equal(json_integer_value(json_object_get(info, "crashes_in_a_row")), 2);
    assert_string_equal(json_string_value(json_object_get(info, "last_crash")), "SIGSEGV after 3 ms");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(info, "service"), "watchdog_ms")), 5000);
    assert_int_equal(json_integer_value(json_object_get(info, "ports")), 1);
    assert_string_equal(json_string_value(json_object_get(info, "state_file")), path);
    assert_string_equal(json_string_value(json_object_get(info, "idle")), "adaptive");
    assert_true(json_is_integer(json_object_get(info, "uptime_ms")));
    json_decref(answer);
}

static void subscription_and_shutdown_reach_their_owners(void **state)
{
    (void)state;
    assert_result("events.subscribe", "{}", "{}");
    assert_true(effect.subscribe);
    assert_result("switch.shutdown", "{}", "{}");
    assert_false(effect.subscribe);
    assert_int_equal(event_loop_run(commander.loop), 0); /* stopped already */
}

static void events_have_the_fields_of_their_type(void **state)
{
    static const struct {
        const char *type, *port, *why;
        int a, b;
        const char *expected;
    } rows[] = {
        { "port.up", "vm", NULL, -1, -1, "\"type\":\"port.up\",\"port\":\"vm\"}}\n" },
        { "port.error", "vm", "no", -1, -1, "\"type\":\"port.error\",\"port\":\"vm\",\"why\":\"no\"}}\n" },
        { "queue.broken", "vm", "loop", 3, -1,
          "\"type\":\"queue.broken\",\"port\":\"vm\",\"queue\":3,\"why\":\"loop\"}}\n" },
        { "events.left_out", "vm", NULL, 7, -1, "\"type\":\"events.left_out\",\"port\":\"vm\",\"count\":7}}\n" },
        { "worker.started", NULL, NULL, 2, 1, "\"type\":\"worker.started\",\"worker\":2,\"worker_node\":1}}\n" },
        { "port.node", "vm", NULL, 1, 1, "\"type\":\"port.node\",\"port\":\"vm\",\"node\":1,\"worker_node\":1}}\n" },
        { "memory.node", "vm", NULL, 1, 0,
          "\"type\":\"memory.node\",\"port\":\"vm\",\"node\":1,\"worker_node\":0}}\n" },
    };
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *line = command_event_line(&commander, rows[i].type, rows[i].port, rows[i].why, rows[i].a,
                                        rows[i].b);
        char start[64];
        snprintf(start, sizeof start, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":%u,"
                                      "\"time_ms\":", i + 1);
        assert_memory_equal(line, start, strlen(start));
        assert_string_equal(strstr(line, "\"type\""), rows[i].expected);
        free(line);
    }
}

#define VHOST "\"name\":\"x\",\"kind\":\"vhost-user\",\"network\":\"lan\",\"socket\":\"/s/x\""
#define TAP "\"name\":\"x\",\"kind\":\"tap\",\"network\":\"lan\",\"ifname\":\"t0\""
#define SIXTY "012345678901234567890123456789012345678901234567890123456789"

static void port_add_is_strict(void **state)
{
    static const struct {
        const char *params;
        int code;
        const char *part;
    } rows[] = {
        { "{}", RPC_PARAMS, "\"name\" is missing" },
        { "{\"name\":\"x\",\"kind\":\"tap\"}", RPC_PARAMS, "\"network\" is missing" },
        { "{\"name\":\"x\",\"network\":\"n\",\"kind\":\"tap\"}", RPC_PARAMS, "\"ifname\" is missing" },
        { "{\"name\":\"x\",\"network\":\"n\",\"kind\":\"vhost-user\"}", RPC_PARAMS, "\"socket\" is missing" },
        { "{\"name\":\"x\",\"network\":\"n\",\"kind\":\"bus\"}", RPC_PARAMS, "\"kind\" must be" },
        { "{" VHOST ",\"colour\":1}", RPC_PARAMS, "there is no parameter \"colour\"" },
        { "{" VHOST ",\"ifname\":\"t0\"}", RPC_PARAMS, "there is no parameter \"ifname\" for kind" },
        { "{" TAP ",\"queues\":1}", RPC_PARAMS, "there is no parameter \"queues\" for kind" },
        { "{" TAP ",\"socket\":\"/s\"}", RPC_PARAMS, "there is no parameter \"socket\" for kind" },
        { "{" TAP ",\"role\":\"client\"}", RPC_PARAMS, "there is no parameter \"role\" for kind" },
        { "{" VHOST ",\"mtu\":\"1500\"}", RPC_PARAMS, "\"mtu\" must be an integer, found a string" },
        { "{" VHOST ",\"mtu\":1500.0}", RPC_PARAMS, "\"mtu\" must be an integer,"
                                                    " found a number with a fraction" },
        { "{" VHOST ",\"queues\":null}", RPC_PARAMS, "\"queues\" must be an integer, found null" },
        { "{" VHOST ",\"role\":true}", RPC_PARAMS, "\"role\" must be a string, found a boolean" },
        { "[]", RPC_PARAMS, "\"params\" must be an object, found an array" },
        { "{" VHOST ",\"role\":\"both\"}", 1, "value-invalid" },
        { "{" VHOST ",\"queues\":0}", 1, "value-invalid" },
        { "{" VHOST ",\"queues\":65}", 1, "value-invalid" },
        { "{" VHOST ",\"queues\":-1}", 1, "value-invalid" },
        { "{" VHOST ",\"queues\":4294967297}", 1, "value-invalid" },
        { "{" VHOST ",\"mtu\":67}", 1, "value-invalid" },
        { "{" VHOST ",\"mtu\":65536}", 1, "value-invalid" },
        { "{" VHOST ",\"mtu\":9223372036854775807}", 1, "value-invalid" },
        { "{" VHOST ",\"mac_limit\":0}", 1, "value-invalid" },
        { "{" VHOST ",\"mac_limit\":65537}", 1, "value-invalid" },
        { "{\"name\":\"-x\",\"kind\":\"tap\",\"network\":\"n\",\"ifname\":\"t\"}", 1, "name-invalid" },
        { "{\"name\":\"\",\"kind\":\"tap\",\"network\":\"n\",\"ifname\":\"t\"}", 1, "name-invalid" },
        { "{\"name\":\"" SIXTY "0123\",\"kind\":\"tap\",\"network\":\"n\",\"ifname\":\"t\"}", 1,
          "name-invalid" },
        { "{\"name\":\"x\",\"kind\":\"tap\",\"network\":\"a b\",\"ifname\":\"t\"}", 1, "name-invalid" },
        { "{\"name\":\"x\",\"kind\":\"tap\",\"network\":\"n\",\"ifname\":\"" SIXTY "\"}", 1, "name-invalid" },
        { "{\"name\":\"x\",\"kind\":\"tap\",\"network\":\"n\",\"ifname\":\"a/b\"}", 1, "name-invalid" },
        { "{\"name\":\"x\",\"kind\":\"vhost-user\",\"network\":\"n\",\"socket\":\"s\"}", 1,
          "socket-invalid" },
        { "{\"name\":\"x\",\"kind\":\"vhost-user\",\"network\":\"n\",\"socket\":\"/" SIXTY SIXTY "\"}", 1,
          "socket-invalid" },
        /* Messages that cut a character in half must still be UTF-8. */
        { "{\"name\":\"x\",\"kind\":\"vhost-user\",\"network\":\"n\",\"socket\":"
          "\"xäääääääääääääääääääääääääääääääää"
          "äääääääääääääääääääääääääääääääääääääääääääääääääääää\"}", 1, "socket-invalid" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refused("port.add", rows[i].params, rows[i].code, rows[i].part);
    assert_int_equal(datapath_port_count(commander.datapath), 0);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_capture_is_what_was_asked(void **state)
{
    static const struct filter_instruction second = { 21, 0, 1, 2048 };
    const struct capture_options *captured = &pretended.captured;
    (void)state;
    add("vm1");
    assert_result("capture.start", "{\"port\":\"vm1\"}", "{}");
    assert_non_null(effect.live);
    assert_true(captured->snaplen == 0 && captured->count == 0 && captured->filter.length == 0);
    assert_result("capture.start", "{\"port\":\"vm1\",\"snaplen\":64,\"count\":5000000000,"
                                   "\"filter\":[[40,0,0,12],[21,0,1,2048],[6,0,0,262144],[6,0,0,0]]}", "{}");
    assert_true(captured->snaplen == 64 && captured->count == 5000000000);
    assert_int_equal(captured->filter.length, 4);
    assert_memory_equal(&captured->filter.program[1], &second, sizeof second);
}

static void captures_are_refused(void **state)
{
    static const struct {
        const char *more, *part;
        int code;
    } rows[] = {
        { "\"snaplen\":63", "value-invalid", 1 }, { "\"snaplen\":65536", "value-invalid", 1 },
        { "\"snaplen\":-1", "value-invalid", 1 }, { "\"snaplen\":\"1\"", "\"snaplen\" must be an integer", RPC_PARAMS },
        { "\"count\":0", "value-invalid", 1 }, { "\"count\":-5", "value-invalid", 1 },
        { "\"filter\":{}", "\"filter\" must be an array", RPC_PARAMS }, { "\"filter\":[]", "value-invalid", 1 },
        { "\"filter\":[6]", "value-invalid", 1 }, { "\"filter\":[[6,0,0]]", "value-invalid", 1 },
        { "\"filter\":[[6,0,0,1,0]]", "value-invalid", 1 }, { "\"filter\":[[6,0,0,1.0]]", "value-invalid", 1 },
        { "\"filter\":[[65536,0,0,1]]", "value-invalid", 1 }, { "\"filter\":[[6,256,0,1]]", "value-invalid", 1 },
        { "\"filter\":[[6,0,0,4294967296]]", "value-invalid", 1 }, { "\"filter\":[[6,0,0,-1]]", "value-invalid", 1 },
        { "\"filter\":[[21,0,0,1]]", "value-invalid", 1 }, { "\"filter\":[[5,0,0,1],[6,0,0,1]]", "value-invalid", 1 },
    };
    (void)state;
    add("vm1");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char params[128];
        snprintf(params, sizeof params, "{\"port\":\"vm1\",%s}", rows[i].more);
        refused("capture.start", params, rows[i].code, rows[i].part);
        assert_null(effect.live);
    }
    refused("capture.start", "{\"port\":\"vm2\"}", 1, "port-unknown");
    refused("capture.start", "{}", RPC_PARAMS, "\"port\" is missing");
}

static void other_methods_are_strict(void **state)
{
    (void)state;
    refused("switch.info", "{\"x\":1}", RPC_PARAMS, "there is no parameter \"x\"");
    refused("switch.shutdown", "{\"x\":1}", RPC_PARAMS, "there is no parameter \"x\"");
    refused("worker.list", "{\"x\":1}", RPC_PARAMS, "there is no parameter \"x\"");
    refused("events.subscribe", "{\"x\":1}", RPC_PARAMS, "there is no parameter \"x\"");
    refused("port.del", "{}", RPC_PARAMS, "\"name\" is missing");
    refused("port.del", "{\"name\":1}", RPC_PARAMS, "\"name\" must be a string, found an integer");
    refused("port.list", "{\"name\":{}}", RPC_PARAMS, "\"name\" must be a string, found an object");
    refused("stats.get", "{\"port\":[]}", RPC_PARAMS, "\"port\" must be a string, found an array");
    refused("mac.list", "{\"network\":1.5}", RPC_PARAMS, "\"network\" must be a string");
    refused("port.rename", "{}", RPC_NO_METHOD, "there is no method \"port.rename\"");
    refused("", "{}", RPC_NO_METHOD, "there is no method \"\"");
}

static void what_is_no_request_is_refused(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *part;
    } rows[] = {
        { "", RPC_NOT_JSON, "not one JSON object a line" },
        { "hello", RPC_NOT_JSON, "not one JSON object a line" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"switch.info\"} {}", RPC_NOT_JSON, "not one JSON" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"switch.info\"}", RPC_NOT_JSON, "duplicate" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\u0000\"}", RPC_NOT_JSON, "NUL" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", RPC_NOT_JSON, "decode byte" },
        { "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"method\":\"switch.info\"}", RPC_NOT_JSON,
          "integer" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"switch.info\"}", RPC_NOT_JSON, "real" },
        { "[]", RPC_NOT_REQUEST, "a request is an object, found an array" },
        { "3", RPC_NOT_REQUEST, "a request is an object" },
        { "{}", RPC_NOT_REQUEST, "\"id\" is missing" },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"switch.info\"}", RPC_NOT_REQUEST,
          "notifications are not served" },
        { "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"switch.info\"}", RPC_NOT_REQUEST, "\"id\" must be" },
        { "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"switch.info\"}", RPC_NOT_REQUEST, "\"id\" must be" },
        { "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"switch.info\"}", RPC_NOT_REQUEST,
          "\"jsonrpc\" must be" },
        { "{\"id\":1,\"method\":\"switch.info\"}", RPC_NOT_REQUEST, "\"jsonrpc\" must be" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1}", RPC_NOT_REQUEST, "\"method\" must be a string" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}", RPC_NOT_REQUEST, "\"method\" must be a string" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"switch.info\",\"extra\":1}", RPC_NOT_REQUEST,
          "\"extra\" is not" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"switch.info\",\"params\":null}", RPC_PARAMS,
          "must be an object" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_error(ask_bytes(rows[i].line, strlen(rows[i].line)), rows[i].code, rows[i].part, rows[i].line);
}

static void ids_come_back_as_they_were(void **state)
{
    static const char *const ids[] = { "\"a\"", "\"\"", "null", "0", "-5", "9223372036854775807", "1.5" };
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"worker.list\"}\r", ids[i]);
        json_t *answer = ask_bytes(line, strlen(line)), *id = json_loads(ids[i], JSON_DECODE_ANY, NULL);
        assert_true(json_equal(json_object_get(answer, "id"), id));
        assert_non_null(json_object_get(answer, "result"));
        json_decref(id);
        json_decref(answer);
    }
}

static void large_and_deep_requests_are_refused(void **state)
{
    size_t length = REQUEST_SIZE_MAX + 1;
    char *line = malloc(length);
    (void)state;
    memset(line, '[', length);
    assert_error(ask_bytes(line, length - 1), RPC_NOT_JSON, "depth", "[[[");
    assert_error(ask_bytes(line, length), RPC_NOT_REQUEST, "at most 65536 bytes", "[[[");
    free(line);
}

/* No part of a request does anything, and no changed byte does harm. */
static void cut_and_changed_requests(void **state)
{
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"port.add\",\"params\":"
                                  "{" VHOST "}}";
    (void)state;
    for (size_t length = 0; length < strlen(request); length++)
        json_decref(ask_bytes(request, length));
    assert_int_equal(datapath_port_count(commander.datapath), 0);
    for (size_t i = 0; i < strlen(request); i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            char changed[sizeof request];
            memcpy(changed, request, sizeof request);
            changed[i] = (char)(changed[i] ^ 1 << bit);
            json_decref(ask_bytes(changed, strlen(request)));
        }
    }
}

static void names_are_taken_once(void **state)
{
    (void)state;
    add("x");
    refused("port.add", "{" VHOST "}", 1, "port-exists");
    assert_int_equal(datapath_port_count(commander.datapath), 1);
}

static void what_the_datapath_refuses_is_passed_on(void **state)
{
    (void)state;
    pretended.refuse = "socket-in-use";
    refused("port.add", "{" VHOST "}", 1, "socket-in-use");
    pretended.refuse = "tap-missing";
    refused("port.add", "{" TAP "}", 1, "tap-missing");
    assert_int_equal(access(path, F_OK), -1);
}

static void a_state_that_cannot_be_written_undoes_the_change(void **state)
{
    (void)state;
    add("kept");
    unlink(path);
    rmdir(folder);
    refused("port.add", "{" VHOST "}", 1, "state-failed");
    assert_int_equal(datapath_port_count(commander.datapath), 1);
    refused("port.del", "{\"name\":\"kept\"}", 1, "state-failed");
    refused("port.set", "{\"name\":\"kept\",\"policy\":{\"isolated\":true}}", 1, "state-failed");
    assert_false(port_config_of(datapath_find_port(commander.datapath, "kept"))->policy.isolated);
    assert_int_equal(datapath_port_count(commander.datapath), 1);
    assert_int_equal(pretended.removed, 1);
}

static void there_is_a_limit_of_ports(void **state)
{
    struct port_config config = { .kind = PORT_TAP };
    struct refusal refusal;
    (void)state;
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        snprintf(config.name, sizeof config.name, "p%u", i);
        datapath_add_port(commander.datapath, &config, &refusal);
    }
    refused("port.add", "{" VHOST "}", 1, "limit");
}

static unsigned least_saved;

static void save_meanwhile(void)
{
    char why[256];
    assert_true(commander_save(&commander, why, sizeof why));
    least_saved = saved_count() < least_saved ? saved_count() : least_saved;
}

static struct state three_ports(void)
{
    struct state loaded = { calloc(3, sizeof *loaded.ports), 3 };
    for (unsigned i = 0; i < 3; i++) {
        struct port_config *config = &loaded.ports[i];
        *config = (struct port_config){ .network = "lan", .queues = 1, .mtu = 1500, .mac_limit = 1 };
        snprintf(config->name, sizeof config->name, "p%u", i);
        snprintf(config->socket, sizeof config->socket, "/s/p%u", i);
    }
    return loaded;
}

static void ports_come_back_and_a_save_meanwhile_loses_none(void **state)
{
    struct state loaded = three_ports();
    (void)state;
    least_saved = 99;
    pretended.during_add = save_meanwhile;
    commander_load(&commander, &loaded);
    assert_int_equal(least_saved, 3);
    assert_int_equal(datapath_port_count(commander.datapath), 3);
    assert_int_equal(commander.lost.count, 0);
}

static void a_port_that_does_not_come_back_is_kept(void **state)
{
    struct state loaded = three_ports();
    (void)state;
    log_open("/dev/null", LOG_LEVEL_ERROR);
    pretended.refuse = "socket-in-use";
    commander_load(&commander, &loaded); /* p0 is lost */
    assert_int_equal(datapath_port_count(commander.datapath), 2);
    json_t *answer = ask("switch.info", "{}");
    const json_t *lost = json_object_get(json_object_get(answer, "result"), "lost");
    assert_int_equal(json_array_size(lost), 1);
    assert_string_equal(json_string_value(json_array_get(lost, 0)), "p0");
    json_decref(answer);
    add("another");
    assert_int_equal(saved_count(), 4);
    add("p0"); /* takes the place of the lost one */
    assert_int_equal(saved_count(), 4);
    assert_int_equal(commander.lost.count, 0);
}

static void a_lost_port_can_be_deleted(void **state)
{
    struct state loaded = three_ports();
    (void)state;
    log_open("/dev/null", LOG_LEVEL_ERROR);
    pretended.refuse = "socket-in-use";
    commander_load(&commander, &loaded);
    assert_result("port.del", "{\"name\":\"p0\"}", "{}");
    assert_int_equal(saved_count(), 2);
    refused("port.del", "{\"name\":\"p0\"}", 1, "port-unknown");
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(ports_are_added_listed_and_deleted),
        ROW(a_policy_is_set_whole_and_saved),
        ROW(macs_stats_and_workers),
        ROW(info_tells_of_the_program),
        ROW(subscription_and_shutdown_reach_their_owners),
        ROW(events_have_the_fields_of_their_type),
        ROW(port_add_is_strict),
        ROW(a_capture_is_what_was_asked),
        ROW(captures_are_refused),
        ROW(other_methods_are_strict),
        ROW(what_is_no_request_is_refused),
        ROW(ids_come_back_as_they_were),
        ROW(large_and_deep_requests_are_refused),
        ROW(cut_and_changed_requests),
        ROW(names_are_taken_once),
        ROW(what_the_datapath_refuses_is_passed_on),
        ROW(a_state_that_cannot_be_written_undoes_the_change),
        ROW(there_is_a_limit_of_ports),
        ROW(ports_come_back_and_a_save_meanwhile_loses_none),
        ROW(a_port_that_does_not_come_back_is_kept),
        ROW(a_lost_port_can_be_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/history_store.h"

static const msec day = 86400000;
static const msec now = 1795352746066;
static const struct history_limits limits = { .max_age = 30 * INT64_C(86400000),
                                              .max_bytes = 8 << 20 };

/* A folder of its own for each test, and a store in it. */
struct world {
    char folder[64], path[128];
    struct history_store *store;
};

static int set_up(void **state) {
    struct world *w = xcalloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/doze-history-XXXXXX");
    if (!mkdtemp(w->folder)) return -1;
    snprintf(w->path, sizeof w->path, "%s/history.db", w->folder);
    w->store = history_store_new(w->path, &limits);
    *state = w;
    return 0;
}

static const char *beside(const struct world *w, const char *suffix) {
    static char path[160];
    snprintf(path, sizeof path, "%s%s", w->path, suffix);
    return path;
}

static int tear_down(void **state) {
    static const char *const suffixes[] = { "",         "-wal",         "-shm",
                                            ".corrupt", ".corrupt-wal", ".corrupt-shm" };
    struct world *w = *state;
    history_store_free(w->store);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        unlink(beside(w, suffixes[i]));
    }
    int left = rmdir(w->folder); /* nothing else was made */
    free(w);
    return left;
}

/* Another daemon on the same file. */
static void start_again(struct world *w) {
    history_store_free(w->store);
    w->store = history_store_new(w->path, &limits);
}

static size_t size_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static struct history_note event(int seq, msec at, const char *more) {
    return (struct history_note){
        HISTORY_EVENT,
        xasprintf("{\"seq\":%d,\"at\":%lld,\"id\":\"m\",\"model\":\"key\",\"from\":\"idle\","
                  "\"to\":\"unloading\",\"reason\":\"ttl\",\"origin\":\"jit\",\"generation\":1,"
                  "\"running\":0%s}",
                  seq, (long long)at, more),
    };
}

static struct history_note memory(msec at) {
    return (struct history_note){
        HISTORY_MEMORY,
        xasprintf("{\"at\":%lld,\"total_bytes\":25276502016,\"available_bytes\":24415571968,"
                  "\"instances\":[{\"id\":\"m\",\"bytes\":74058752}],"
                  "\"parked\":[{\"model\":\"p\",\"bytes\":43}]}",
                  (long long)at),
    };
}

static bool write_one(struct world *w, struct history_note note, msec at, struct error *err) {
    bool ok = history_store_write(w->store, &note, 1, at, err);
    free(note.json);
    return ok;
}

static void must_write(struct world *w, struct history_note note) {
    struct error err;
    if (!write_one(w, note, now, &err)) fail_msg("%s", err.text);
}

static yyjson_doc *read_all(struct world *w, msec from, msec until, int64_t limit) {
    struct history_query query = { from, until, limit };
    struct buf out = BUF_INIT(64 << 20);
    struct error err;
    if (!history_store_read(w->store, &query, &out, &err)) fail_msg("%s", err.text);
    yyjson_doc *doc = json_parse_object(buf_str(&out), out.len, &err);
    if (!doc) fail_msg("%s: %s", err.text, buf_str(&out));
    buf_clear(&out);
    return doc;
}

static yyjson_val *list(yyjson_doc *doc, const char *name) {
    return yyjson_obj_get(yyjson_doc_get_root(doc), name);
}

static int64_t int_of(yyjson_val *obj, const char *name) {
    return yyjson_get_sint(yyjson_obj_get(obj, name));
}

static bool truncated(yyjson_doc *doc) {
    return yyjson_is_true(list(doc, "truncated"));
}

/* The seq of the events there are, as "1 2 3". */
static void check_events(struct world *w, msec from, msec until, int64_t limit,
                         const char *want) {
    struct buf seqs = BUF_INIT(4096);
    size_t i, max;
    yyjson_val *entry;
    yyjson_doc *doc = read_all(w, from, until, limit);
    yyjson_arr_foreach(list(doc, "events"), i, max, entry) {
        buf_addf(&seqs, "%s%lld", i ? " " : "", (long long)int_of(entry, "seq"));
    }
    assert_string_equal(buf_str(&seqs), want);
    buf_clear(&seqs);
    yyjson_doc_free(doc);
}

/* ---- */

static void test_an_event_comes_back_as_it_was(void **state) {
    struct world *w = *state;
    must_write(w, event(7, now,
                        ",\"memory_bytes\":123456789012,\"load_time_seconds\":0.25,"
                        "\"error\":\"a \\\"quoted\\\" \xe5\x90\x8d\""));
    must_write(w, event(8, now, ""));
    yyjson_doc *doc = read_all(w, 0, now, 10);
    yyjson_val *first = yyjson_arr_get(list(doc, "events"), 0);
    assert_int_equal(int_of(first, "run"), 1);
    assert_int_equal(int_of(first, "seq"), 7);
    assert_int_equal(int_of(first, "at"), now);
    assert_int_equal(int_of(first, "generation"), 1);
    assert_int_equal(int_of(first, "memory_bytes"), 123456789012);
    assert_true(yyjson_get_real(yyjson_obj_get(first, "load_time_seconds")) == 0.25);
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "id"), "m"));
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "model"), "key"));
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "from"), "idle"));
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "to"), "unloading"));
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "reason"), "ttl"));
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "origin"), "jit"));
    assert_true(yyjson_equals_str(yyjson_obj_get(first, "error"), "a \"quoted\" \xe5\x90\x8d"));
    yyjson_val *second = yyjson_arr_get(list(doc, "events"), 1);
    assert_null(yyjson_obj_get(second, "memory_bytes"));
    assert_null(yyjson_obj_get(second, "load_time_seconds"));
    assert_null(yyjson_obj_get(second, "error"));
    yyjson_doc_free(doc);
}

static void test_a_sample_comes_back_as_it_was(void **state) {
    struct world *w = *state;
    must_write(w, memory(now));
    yyjson_doc *doc = read_all(w, now - 1, now + 1, 10);
    assert_int_equal(yyjson_get_sint(list(doc, "from")), now - 1);
    assert_int_equal(yyjson_get_sint(list(doc, "until")), now + 1);
    yyjson_val *sample = yyjson_arr_get(list(doc, "memory"), 0);
    assert_int_equal(int_of(sample, "at"), now);
    assert_int_equal(int_of(sample, "total_bytes"), 25276502016);
    assert_int_equal(int_of(sample, "available_bytes"), 24415571968);
    yyjson_val *instance = yyjson_arr_get(yyjson_obj_get(sample, "instances"), 0);
    assert_true(yyjson_equals_str(yyjson_obj_get(instance, "id"), "m"));
    assert_int_equal(int_of(instance, "bytes"), 74058752);
    yyjson_val *parked = yyjson_arr_get(yyjson_obj_get(sample, "parked"), 0);
    assert_true(yyjson_equals_str(yyjson_obj_get(parked, "model"), "p"));
    assert_int_equal(int_of(parked, "bytes"), 43);
    assert_int_equal(yyjson_arr_size(list(doc, "events")), 0);
    assert_false(truncated(doc));
    yyjson_doc_free(doc);
}

static void test_the_span_and_the_limit_choose(void **state) {
    struct world *w = *state;
    for (int i = 1; i <= 5; i++) must_write(w, event(i, now + i, ""));
    check_events(w, now + 2, now + 4, 10, "2 3 4");
    check_events(w, now + 2, now + 5, 2, "4 5"); /* the newest */
    check_events(w, now + 6, now + 9, 10, "");
    yyjson_doc *doc = read_all(w, now + 1, now + 5, 5);
    assert_false(truncated(doc));
    yyjson_doc_free(doc);
    doc = read_all(w, now + 1, now + 5, 4);
    assert_true(truncated(doc));
    yyjson_doc_free(doc);
}

/* Several transitions happen in one millisecond: none is lost at the limit's edge, and they
 * stay in order. */
static void test_events_of_one_moment(void **state) {
    struct world *w = *state;
    for (int i = 1; i <= 5; i++) must_write(w, event(i, now, ""));
    check_events(w, now, now, 3, "3 4 5");
    check_events(w, now, now, 5, "1 2 3 4 5");
}

static void test_no_file_is_an_empty_history(void **state) {
    struct world *w = *state;
    yyjson_doc *doc = read_all(w, 0, now, 10);
    assert_int_equal(yyjson_arr_size(list(doc, "events")), 0);
    assert_int_equal(yyjson_arr_size(list(doc, "memory")), 0);
    assert_false(truncated(doc));
    yyjson_doc_free(doc);
}

static void test_each_start_is_a_run(void **state) {
    struct world *w = *state;
    must_write(w, event(1, now, ""));
    must_write(w, event(2, now, ""));
    start_again(w);
    must_write(w, event(1, now, ""));
    history_store_rest(w->store);
    must_write(w, event(2, now, "")); /* a rest is not a new run */
    static const int runs[] = { 1, 1, 2, 2 };
    yyjson_doc *doc = read_all(w, 0, now, 10);
    assert_int_equal(yyjson_arr_size(list(doc, "events")), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(int_of(yyjson_arr_get(list(doc, "events"), i), "run"), runs[i]);
    }
    assert_int_equal(int_of(yyjson_doc_get_root(doc), "run"), 2);
    yyjson_doc_free(doc);
    start_again(w);
    doc = read_all(w, 0, now, 10);
    assert_int_equal(int_of(yyjson_doc_get_root(doc), "run"), 3); /* nothing happened in it */
    yyjson_doc_free(doc);
    must_write(w, event(1, now, ""));
    doc = read_all(w, 0, now, 10);
    assert_int_equal(int_of(yyjson_arr_get_last(list(doc, "events")), "run"), 3);
    yyjson_doc_free(doc);
}

static void test_rest_leaves_one_private_file(void **state) {
    struct world *w = *state;
    struct stat info;
    must_write(w, event(1, now, ""));
    assert_true(size_of(beside(w, "-wal")) > 0);
    history_store_rest(w->store);
    assert_int_not_equal(access(beside(w, "-wal"), F_OK), 0);
    assert_int_equal(stat(w->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    check_events(w, 0, now, 10, "1");
}

static void test_what_is_too_old_goes(void **state) {
    struct world *w = *state;
    struct error err;
    must_write(w, event(1, now - 31 * day, ""));
    must_write(w, memory(now - 31 * day));
    must_write(w, event(2, now - 29 * day, ""));
    assert_true(write_one(w, event(3, now, ""), now, &err));
    check_events(w, 0, now, 10, "2 3");
    yyjson_doc *doc = read_all(w, 0, now, 10);
    assert_int_equal(yyjson_arr_size(list(doc, "memory")), 0);
    yyjson_doc_free(doc);
}

/* 8 MB are too little for 120,000 notes: the oldest go, the newest stay, the limit holds. */
static void test_the_size_is_bounded(void **state) {
    enum { BATCH = 1000, BATCHES = 60 };
    struct world *w = *state;
    static struct history_note notes[2 * BATCH];
    struct error err;
    size_t largest = 0;
    for (int b = 0; b < BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) {
            int seq = b * BATCH + i;
            notes[2 * i] = event(seq, now + seq, "");
            notes[2 * i + 1] = memory(now + seq);
        }
        if (!history_store_write(w->store, notes, 2 * BATCH, now, &err)) {
            fail_msg("batch %d: %s", b, err.text);
        }
        for (int i = 0; i < 2 * BATCH; i++) free(notes[i].json);
        size_t size = size_of(w->path) + size_of(beside(w, "-wal"));
        if (size > largest) largest = size;
    }
    assert_in_range(largest, 2 << 20, limits.max_bytes);
    yyjson_doc *doc = read_all(w, 0, now + BATCH * BATCHES, HISTORY_LIMIT_MAX);
    yyjson_val *events = list(doc, "events"), *samples = list(doc, "memory");
    assert_in_range(yyjson_arr_size(events), 10000, BATCH * BATCHES - 10000);
    assert_in_range(yyjson_arr_size(samples), 10000, BATCH * BATCHES - 10000);
    assert_int_equal(int_of(yyjson_arr_get_last(events), "seq"), BATCH * BATCHES - 1);
    int64_t oldest = int_of(yyjson_arr_get_first(events), "at");
    assert_int_equal(oldest, int_of(yyjson_arr_get_first(samples), "at"));
    yyjson_doc_free(doc);
}

static void overwrite(const char *path, long offset, const char *bytes, size_t len) {
    FILE *file = fopen(path, offset < 0 ? "w" : "r+");
    assert_non_null(file);
    if (offset > 0) assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void test_a_damaged_file_is_set_aside(void **state) {
    struct world *w = *state;
    static const char junk[] = "this was never a database, and nobody can tell what it was\n";
    overwrite(w->path, -1, junk, sizeof junk - 1);
    must_write(w, event(1, now, ""));
    assert_true(history_store_take_damage(w->store));
    assert_false(history_store_take_damage(w->store));
    assert_int_equal(size_of(beside(w, ".corrupt")), sizeof junk - 1);
    check_events(w, 0, now, 10, "1");
}

/* The head of the file is good, its tables are not. */
static void test_damage_found_by_reading_is_set_aside_too(void **state) {
    struct world *w = *state;
    char junk[3 * 4096];
    memset(junk, 0x55, sizeof junk);
    must_write(w, event(1, now, ""));
    history_store_rest(w->store);
    overwrite(w->path, 4096, junk, sizeof junk);
    check_events(w, 0, now, 10, "");
    assert_true(history_store_take_damage(w->store));
    must_write(w, event(2, now, ""));
    check_events(w, 0, now, 10, "2");
}

static void run_sql(const char *path, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_foreign_tables_are_set_aside(void **state) {
    struct world *w = *state;
    run_sql(w->path, "CREATE TABLE event(name TEXT)");
    must_write(w, event(1, now, ""));
    assert_true(history_store_take_damage(w->store));
    check_events(w, 0, now, 10, "1");
}

/* Its samples know of no parked workers. */
static void test_a_file_of_before_is_read_and_written_on(void **state) {
    struct world *w = *state;
    run_sql(w->path,
            "CREATE TABLE event(n INTEGER PRIMARY KEY, run INTEGER NOT NULL,"
            " seq INTEGER NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL, model TEXT NOT NULL,"
            " from_state TEXT NOT NULL, to_state TEXT NOT NULL, reason TEXT NOT NULL,"
            " origin TEXT NOT NULL, generation INTEGER NOT NULL, memory_bytes INTEGER,"
            " load_time_seconds REAL, error TEXT) STRICT;"
            "CREATE INDEX event_at ON event(at);"
            "CREATE TABLE memory(n INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
            " total_bytes INTEGER NOT NULL, available_bytes INTEGER NOT NULL,"
            " instances TEXT NOT NULL) STRICT;"
            "CREATE INDEX memory_at ON memory(at);"
            "INSERT INTO memory VALUES(1, 1795352746066, 8, 4, '[]');"
            "PRAGMA user_version = 1");
    must_write(w, memory(now + 1));
    yyjson_doc *doc = read_all(w, now, now + 1, 10);
    yyjson_val *samples = list(doc, "memory");
    assert_int_equal(yyjson_arr_size(samples), 2);
    yyjson_val *old = yyjson_arr_get(samples, 0);
    assert_int_equal(int_of(old, "total_bytes"), 8);
    assert_true(yyjson_is_arr(yyjson_obj_get(old, "parked")));
    assert_int_equal(yyjson_arr_size(yyjson_obj_get(old, "parked")), 0);
    assert_int_equal(yyjson_arr_size(yyjson_obj_get(yyjson_arr_get(samples, 1), "parked")), 1);
    yyjson_doc_free(doc);
}

static void test_a_newer_file_is_left_alone(void **state) {
    struct world *w = *state;
    struct error err;
    run_sql(w->path, "PRAGMA user_version = 99; CREATE TABLE event(future TEXT)");
    assert_false(write_one(w, event(1, now, ""), now, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "newer doze"));
    assert_false(history_store_take_damage(w->store));
    assert_int_not_equal(access(beside(w, ".corrupt"), F_OK), 0);
}

static void limit_file_size(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk without room: the write fails, nothing of it stays, and later ones work again. */
static void test_no_room_is_an_error_and_passes(void **state) {
    struct world *w = *state;
    struct error err;
    must_write(w, event(1, now, ""));
    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(size_of(beside(w, "-wal")));
    bool wrote = write_one(w, event(2, now, ""), now, &err);
    limit_file_size(RLIM_INFINITY);
    assert_false(wrote);
    assert_int_equal(err.code, ERR_IO);
    assert_false(history_store_take_damage(w->store));
    must_write(w, event(3, now, ""));
    check_events(w, 0, now, 10, "1 3");
}

static void test_a_missing_folder_is_an_error(void **state) {
    (void)state;
    struct error err;
    struct history_note note = event(1, now, "");
    struct history_store *store = history_store_new("/nonexistent/history.db", &limits);
    assert_false(history_store_write(store, &note, 1, now, &err));
    assert_int_equal(err.code, ERR_IO);
    history_store_free(store);
    free(note.json);
}

/* What was written is there after a kill, without a clean end. */
static void test_a_killed_writer_loses_nothing(void **state) {
    struct world *w = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error err;
        struct history_note notes[] = { event(1, now, ""), event(2, now, "") };
        if (!history_store_write(w->store, notes, 2, now, &err)) _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    check_events(w, 0, now, 10, "1 2");
    must_write(w, event(1, now, ""));
    yyjson_doc *doc = read_all(w, 0, now, 10);
    assert_int_equal(int_of(yyjson_arr_get_last(list(doc, "events")), "run"), 2);
    yyjson_doc_free(doc);
}

static void test_an_answer_past_the_buffer_is_refused(void **state) {
    struct world *w = *state;
    struct history_query query = { 0, now, 100 };
    struct buf small = BUF_INIT(1000);
    struct error err;
    for (int i = 0; i < 10; i++) must_write(w, event(i, now, ""));
    assert_false(history_store_read(w->store, &query, &small, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&small);
    check_events(w, 0, now, 2, "8 9");
}

/* ---- */

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_an_event_comes_back_as_it_was),
        TEST(test_a_sample_comes_back_as_it_was),
        TEST(test_the_span_and_the_limit_choose),
        TEST(test_events_of_one_moment),
        TEST(test_no_file_is_an_empty_history),
        TEST(test_each_start_is_a_run),
        TEST(test_rest_leaves_one_private_file),
        TEST(test_what_is_too_old_goes),
        TEST(test_the_size_is_bounded),
        TEST(test_a_damaged_file_is_set_aside),
        TEST(test_damage_found_by_reading_is_set_aside_too),
        TEST(test_foreign_tables_are_set_aside),
        TEST(test_a_file_of_before_is_read_and_written_on),
        TEST(test_a_newer_file_is_left_alone),
        TEST(test_no_room_is_an_error_and_passes),
        TEST(test_a_missing_folder_is_an_error),
        TEST(test_a_killed_writer_loses_nothing),
        TEST(test_an_answer_past_the_buffer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// json/parse.cc - the one place that calls simdjson.
#include <new>

#include <simdjson.h>

extern "C" {
#include "json/json.h"
}

namespace {

constexpr size_t KEEP = size_t{1} << 20; // bytes of body whose buffers a thread keeps for good

// What a thread keeps from body to body.
struct kept {
    simdjson::dom::parser parser;
    simdjson::dom::document doc; // its string buffer is lent by the arena for the time of one parse
    struct mr_buf padded = MR_BUF_INIT;
    bool sized = false; // the parser has its depth

    ~kept()
    {
        mr_buf_release(&padded);
    }
};

struct slot {
    kept *ptr = nullptr;

    ~slot()
    {
        delete ptr;
    }
};

thread_local slot mine;

// Drops what a big body left behind once bodies are small again.
kept *take(size_t len)
{
    if (mine.ptr != nullptr && mine.ptr->doc.capacity() > KEEP && len <= KEEP) {
        delete mine.ptr;
        mine.ptr = nullptr;
    }
    if (mine.ptr == nullptr)
        mine.ptr = new (std::nothrow) kept;
    return mine.ptr;
}

// Room for a body of that length; grows by doubling, so that growing bodies do not reallocate each time.
simdjson::error_code make_room(kept *k, size_t len)
{
    if (k->sized && k->doc.capacity() >= len)
        return simdjson::SUCCESS;
    size_t cap = 16384;
    while (cap < len)
        cap *= 2;
    k->sized = false;
    simdjson::error_code err = k->parser.allocate(cap, JSON_MAX_DEPTH);
    if (err == simdjson::SUCCESS)
        err = k->doc.allocate(cap);
    if (err != simdjson::SUCCESS)
        return err;
    k->doc.string_buf.reset();
    k->sized = true;
    return simdjson::SUCCESS;
}

int parse(kept *k, struct mr_str body, struct mr_arena *arena, struct json_doc *doc, struct mr_error *err)
{
    // The most that strings can take: each costs 5 bytes beside its text and at least 3 in the body.
    size_t room = 5 * body.len / 3 + 2 * simdjson::SIMDJSON_PADDING;
    auto *strings = static_cast<uint8_t *>(mr_arena_alloc(arena, room));
    k->padded.len = 0;
    char *text = mr_buf_reserve(&k->padded, body.len + simdjson::SIMDJSON_PADDING);
    if (strings == nullptr || text == nullptr) {
        mr_buf_release(&k->padded); // a failed buffer would refuse for ever
        return MR_ENOMEM;
    }
    if (body.len != 0)
        memcpy(text, body.ptr, body.len);
    memset(text + body.len, ' ', simdjson::SIMDJSON_PADDING);

    k->doc.string_buf.reset(strings);
    simdjson::error_code code = k->parser.parse_into_document(k->doc, text, body.len, false).error();
    (void)k->doc.string_buf.release(); // the arena's
    if (code == simdjson::MEMALLOC)
        return MR_ENOMEM;
    if (code != simdjson::SUCCESS)
        return mr_error_set(err, MR_EINVAL, "%s", simdjson::error_message(code));
    doc->tape = k->doc.tape.get();
    doc->strings = reinterpret_cast<const char *>(strings);
    return MR_OK;
}

} // namespace

extern "C" int json_parse(struct mr_str body, struct mr_arena *arena, struct json_doc *doc,
                          struct mr_error *err)
{
    if (body.len > JSON_MAX_BODY)
        return mr_error_set(err, MR_EINVAL, "The document is larger than %zu bytes.", JSON_MAX_BODY);
    kept *k = take(body.len);
    if (k == nullptr || make_room(k, body.len) != simdjson::SUCCESS)
        return MR_ENOMEM;
    return parse(k, body, arena, doc, err);
}

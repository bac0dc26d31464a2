// json/parse.cc - the one place that calls simdjson.
#include <new>

#include <simdjson.h>

extern "C" {
#include "json/quick.h"
}

namespace {

constexpr size_t KEEP = size_t{1} << 20; // bytes of body whose buffers a thread keeps for good

// What a thread keeps from body to body.
struct kept {
    simdjson::dom::parser parser;
    simdjson::dom::document doc; // its string buffer is lent by the arena for the time of one parse
    bool sized = false;          // the parser has its depth
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

// A copy of the body that may be written to, with the blanks that simdjson wants behind it.
char *padded_copy(struct mr_str body, struct mr_arena *arena)
{
    auto *text = static_cast<char *>(mr_arena_alloc(arena, body.len + simdjson::SIMDJSON_PADDING));
    if (text == nullptr)
        return nullptr;
    if (body.len != 0)
        memcpy(text, body.ptr, body.len);
    memset(text + body.len, ' ', simdjson::SIMDJSON_PADDING);
    return text;
}

// The plain way, in place. False: not for this document; the text is spoiled.
bool parse_plain(kept *k, char *text, size_t len)
{
    auto &stage = *k->parser.implementation;
    if (len == 0 || memchr(text, '\\', len) != nullptr)
        return false;
    const auto *bytes = reinterpret_cast<const uint8_t *>(text);
    return stage.stage1(bytes, len, simdjson::stage1_mode::regular) == simdjson::SUCCESS &&
           json_quick(text, stage.structural_indexes.get(), stage.n_structural_indexes, k->doc.tape.get());
}

int parse(kept *k, struct mr_str body, struct mr_arena *arena, struct json_doc *doc, struct mr_error *err)
{
    char *text = padded_copy(body, arena);
    if (text == nullptr)
        return MR_ENOMEM;
    doc->tape = k->doc.tape.get();
    doc->strings = text;
    if (parse_plain(k, text, body.len))
        return MR_OK;
    // The most that strings can take: each costs 5 bytes beside its text and at least 3 in the body.
    size_t room = 5 * body.len / 3 + 2 * simdjson::SIMDJSON_PADDING;
    auto *strings = static_cast<uint8_t *>(mr_arena_alloc(arena, room));
    if (strings == nullptr)
        return MR_ENOMEM;
    if (body.len != 0)
        memcpy(text, body.ptr, body.len);
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

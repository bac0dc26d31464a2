#include "json/tree.h"

#include "json/write.h"

#define ONE_LINE 100 /* bytes of text up to which a flat value is not broken up */

static struct json_node *node_new(struct mr_arena *arena, enum json_type type)
{
    struct json_node *n = MR_ARENA_NEW(arena, struct json_node);
    if (n != NULL)
        n->type = type;
    return n;
}

void json_tree_hang(struct json_node *parent, struct mr_str name, struct json_node *child)
{
    child->parent = parent;
    child->name = name;
    child->next = NULL;
    *(parent->last != NULL ? &parent->last->next : &parent->first) = child;
    parent->last = child;
}

/* The text of a number, in the arena; MR_STR_NULL when memory is short. */
static struct mr_str number_text(struct mr_arena *arena, struct json_value v)
{
    struct mr_buf text = MR_BUF_INIT;
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    if (json_i64(v, &i))
        json_write_i64(&text, i);
    else if (json_u64(v, &u))
        mr_buf_printf(&text, "%llu", (unsigned long long)u);
    else if (json_f64(v, &d))
        json_write_double(&text, d);
    struct mr_str kept = mr_buf_ok(&text) ? mr_arena_dup(arena, mr_buf_view(&text)) : MR_STR_NULL;
    mr_buf_release(&text);
    return kept;
}

static bool copy_inside(struct mr_arena *arena, struct json_value v, struct json_node *n)
{
    struct mr_str name = MR_STR_NULL;
    struct json_value value;
    bool object = json_type(v) == JSON_OBJECT;
    struct json_iter it = json_items(v);
    while (object ? json_next_field(&it, &name, &value) : json_next(&it, &value)) {
        struct json_node *child = json_tree_copy(arena, value);
        struct mr_str kept = object ? mr_arena_dup(arena, name) : MR_STR_NULL;
        if (child == NULL || (object && kept.ptr == NULL))
            return false;
        json_tree_hang(n, kept, child);
    }
    return true;
}

struct json_node *json_tree_copy(struct mr_arena *arena, struct json_value v)
{
    struct json_node *n = node_new(arena, json_type(v));
    if (n == NULL)
        return NULL;
    switch (n->type) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return copy_inside(arena, v, n) ? n : NULL;
    case JSON_STRING:
        n->text = mr_arena_dup(arena, json_text(v));
        return n->text.ptr != NULL ? n : NULL;
    case JSON_INT:
    case JSON_UINT:
    case JSON_DOUBLE:
        n->text = number_text(arena, v);
        return n->text.ptr != NULL ? n : NULL;
    default:
        return n;
    }
}

struct json_node *json_tree_get(const struct json_node *object, struct mr_str name)
{
    struct json_node *found = NULL;
    for (struct json_node *n = object->first; n != NULL && object->type == JSON_OBJECT; n = n->next)
        if (mr_str_eq(n->name, name))
            found = n;
    return found;
}

struct json_node *json_tree_add(struct mr_arena *arena, struct json_node *parent, struct mr_str name,
                                enum json_type type)
{
    struct json_node *n = node_new(arena, type);
    struct mr_str kept = name.ptr != NULL ? mr_arena_dup(arena, name) : MR_STR_NULL;
    if (n == NULL || (name.ptr != NULL && kept.ptr == NULL))
        return NULL;
    json_tree_hang(parent, kept, n);
    return n;
}

struct json_node *json_tree_add_text(struct mr_arena *arena, struct json_node *parent, struct mr_str name,
                                     struct mr_str text)
{
    struct mr_str kept = mr_arena_dup(arena, text);
    struct json_node *n = kept.ptr != NULL ? json_tree_add(arena, parent, name, JSON_STRING) : NULL;
    if (n != NULL)
        n->text = kept;
    return n;
}

void json_tree_remove(struct json_node *node)
{
    struct json_node *parent = node->parent, *before = NULL;
    for (struct json_node *n = parent->first; n != node; n = n->next)
        before = n;
    *(before != NULL ? &before->next : &parent->first) = node->next;
    if (parent->last == node)
        parent->last = before;
    node->parent = node->next = NULL;
}

struct json_node *json_tree_find_text(const struct json_node *list, struct mr_str text)
{
    for (struct json_node *n = list->first; n != NULL; n = n->next)
        if (n->type == JSON_STRING && mr_str_eq(n->text, text))
            return n;
    return NULL;
}

/* Nothing inside but scalars, and little of it. */
static bool is_flat(const struct json_node *node)
{
    size_t bytes = 0;
    for (const struct json_node *n = node->first; n != NULL; n = n->next) {
        if (n->first != NULL)
            return false;
        bytes += n->name.len + n->text.len + 6;
    }
    return bytes <= ONE_LINE;
}

static void new_line(struct mr_buf *out, unsigned depth)
{
    mr_buf_char(out, '\n');
    for (unsigned i = 0; i < depth; i++)
        mr_buf_str(out, MR_STR("  "));
}

static void write_node(const struct json_node *node, unsigned depth, struct mr_buf *out);

static void write_inside(const struct json_node *node, unsigned depth, struct mr_buf *out)
{
    bool flat = is_flat(node);
    for (const struct json_node *n = node->first; n != NULL; n = n->next) {
        if (!flat)
            new_line(out, depth + 1);
        if (node->type == JSON_OBJECT) {
            json_write_string(out, n->name);
            mr_buf_str(out, MR_STR(": "));
        }
        write_node(n, depth + 1, out);
        if (n->next != NULL)
            mr_buf_str(out, flat ? MR_STR(", ") : MR_STR(","));
    }
    if (!flat)
        new_line(out, depth);
}

static void write_node(const struct json_node *node, unsigned depth, struct mr_buf *out)
{
    switch (node->type) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        mr_buf_char(out, node->type == JSON_OBJECT ? '{' : '[');
        write_inside(node, depth, out);
        mr_buf_char(out, node->type == JSON_OBJECT ? '}' : ']');
        return;
    case JSON_STRING:
        json_write_string(out, node->text);
        return;
    case JSON_INT:
    case JSON_UINT:
    case JSON_DOUBLE:
        mr_buf_str(out, node->text);
        return;
    case JSON_TRUE:
        mr_buf_str(out, MR_STR("true"));
        return;
    case JSON_FALSE:
        mr_buf_str(out, MR_STR("false"));
        return;
    case JSON_NULL:
        break;
    }
    mr_buf_str(out, MR_STR("null"));
}

void json_tree_write(const struct json_node *root, struct mr_buf *out)
{
    write_node(root, 0, out);
    mr_buf_char(out, '\n');
}

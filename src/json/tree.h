/* json/tree.h - a JSON document that can be changed: nodes in an arena, members in their order.
 *
 * For small files that people keep and programs edit, the users file above all. A copy keeps what it does not
 * understand; numbers come out as the shortest text that reads back the same. Nodes never move and are freed
 * with their arena. Not thread-safe.
 */
#ifndef MR_JSON_TREE_H
#define MR_JSON_TREE_H

#include "json/json.h"

struct json_node {
    enum json_type type;
    struct mr_str name; /* of a member; MR_STR_NULL elsewhere */
    struct mr_str text; /* JSON_STRING: the string; numbers: as written */
    struct json_node *first, *last;
    struct json_node *next, *parent;
};

/* A copy of the value and all it holds, with its texts; NULL when memory is short. */
struct json_node *json_tree_copy(struct mr_arena *arena, struct json_value v);

/* The last member of that name; NULL when there is none or the node is no object. */
struct json_node *json_tree_get(const struct json_node *object, struct mr_str name);
/* A new last member of an object or element of a list (name MR_STR_NULL). NULL when memory is short. */
struct json_node *json_tree_add(struct mr_arena *arena, struct json_node *parent, struct mr_str name,
                                enum json_type type);
/* The same with a string. */
struct json_node *json_tree_add_text(struct mr_arena *arena, struct json_node *parent, struct mr_str name,
                                     struct mr_str text);
/* Hangs a copy made by json_tree_copy under the parent. */
void json_tree_hang(struct json_node *parent, struct mr_str name, struct json_node *child);
/* Takes the node out of its parent. */
void json_tree_remove(struct json_node *node);
/* The element of a list that is that string, or NULL. */
struct json_node *json_tree_find_text(const struct json_node *list, struct mr_str text);

/* Indented by two blanks, with a newline at the end. Lists of strings and small flat objects stay on one
 * line. */
void json_tree_write(const struct json_node *root, struct mr_buf *out);

#endif

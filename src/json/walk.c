#include "json/json.h"

size_t json_count(struct json_value v)
{
    size_t count = json_word(v) >> 32 & 0xffffff;
    if (count != 0xffffff)
        return count;
    /* The tape's counter is full. */
    count = 0;
    struct json_iter it = json_items(v);
    struct json_value item;
    while (json_next(&it, &item))
        count++;
    return json_type(v) == JSON_OBJECT ? count / 2 : count;
}

bool json_get(struct json_value v, struct mr_str name, struct json_value *out)
{
    if (json_type(v) != JSON_OBJECT)
        return false;
    bool found = false;
    struct json_iter it = json_items(v);
    struct mr_str key;
    struct json_value value;
    while (json_next_field(&it, &key, &value))
        if (mr_str_eq(key, name)) {
            *out = value;
            found = true;
        }
    return found;
}

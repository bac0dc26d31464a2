/* Response blocks: the struct the caller sees, behind a head that knows the arena of everything it points to.
 */
#include "client/client.h"

struct response_head {
    _Alignas(16) struct mr_arena arena;
};

void *client_response_new(const void *value, size_t size, struct mr_arena *arena)
{
    struct response_head *head = mr_malloc(sizeof *head + size);
    if (head == NULL) {
        mr_arena_release(arena);
        return NULL;
    }
    head->arena = *arena;
    *arena = (struct mr_arena)MR_ARENA_INIT;
    memcpy(head + 1, value, size);
    return head + 1;
}

void mr_response_free(void *response)
{
    if (response == NULL)
        return;
    struct response_head *head = (struct response_head *)response - 1;
    mr_arena_release(&head->arena);
    mr_free(head);
}

#include "grammar.h"

#include "gen.h"

/* ---- choices ---- */

unsigned gen_pick(struct gen *g, unsigned n)
{
    return g->at < g->end && n > 1 ? *g->at++ % n : 0;
}

static bool chance(struct gen *g, unsigned of_256)
{
    return g->at < g->end && *g->at++ >= 256 - of_256;
}

const char *gen_choose(struct gen *g, const char *const *texts, size_t n)
{
    return texts[gen_pick(g, (unsigned)n)];
}

void gen_put(struct gen *g, const char *text)
{
    mr_buf_str(g->out, mr_str_of(text));
}

const char *gen_type(struct gen *g)
{
    static const char *const types[] = {"l", "d", "s",   "t",   "i",   "b",   "n",   "D",
                                        "T", "y", "[l]", "[s]", "[d]", "[t]", "{d}", "{l}"};
    return CHOOSE(g, types);
}

/* ---- what FROM brings ---- */

static void add_column(struct gen *g, const char *relation, const char *name, const char *type)
{
    if (g->ncolumns == MR_ARRAY_LEN(g->columns))
        return;
    struct gen_column *c = &g->columns[g->ncolumns++];
    snprintf(c->name, sizeof(c->name), "%s.%s", relation, name);
    snprintf(c->type, sizeof(c->type), "%s", type);
}

static void new_name(struct gen *g, char out[static 12], char first)
{
    snprintf(out, 12, "%c%u", first, g->names++);
}

static void from_table(struct gen *g)
{
    char alias[12];
    new_name(g, alias, 't');
    mr_buf_printf(g->out, "%s AS %s", g->table->name, alias);
    for (size_t i = 0; i < g->table->ncolumns; i++)
        add_column(g, alias, g->table->columns[i].name, g->table->columns[i].type);
}

/* (VALUES (...), (...)) AS v1(x, y, z) */
static void from_values(struct gen *g)
{
    static const char *const names[] = {"x", "y", "z"};
    const char *types[3];
    char alias[12];
    unsigned width = 1 + gen_pick(g, 3), rows = 1 + gen_pick(g, 4);
    size_t mine = g->ncolumns;
    for (unsigned i = 0; i < width; i++)
        types[i] = gen_type(g);
    gen_put(g, "(VALUES ");
    g->ncolumns = 0; /* VALUES sees no columns beside it */
    for (unsigned r = 0; r < rows; r++) {
        gen_put(g, r > 0 ? ", (" : "(");
        for (unsigned i = 0; i < width; i++) {
            gen_put(g, i > 0 ? ", " : "");
            gen_expr(g, types[i], 1);
        }
        gen_put(g, ")");
    }
    g->ncolumns = mine;
    new_name(g, alias, 'v');
    mr_buf_printf(g->out, ") AS %s(", alias);
    for (unsigned i = 0; i < width; i++) {
        mr_buf_printf(g->out, "%s%s", i > 0 ? ", " : "", names[i]);
        add_column(g, alias, names[i], types[i]);
    }
    gen_put(g, ")");
}

/* (SELECT ...) AS q1 */
static void from_query(struct gen *g, bool lateral)
{
    static const char *const names[] = {"c0", "c1", "c2"};
    const char *types[3];
    char alias[12];
    unsigned width = 1 + gen_pick(g, 3);
    for (unsigned i = 0; i < width; i++)
        types[i] = gen_type(g);
    size_t mine = g->ncolumns;
    gen_put(g, lateral ? "LATERAL (" : "(");
    if (!lateral)
        g->ncolumns = 0;
    gen_query(g, types, width, names);
    g->ncolumns = mine;
    new_name(g, alias, 'q');
    mr_buf_printf(g->out, ") AS %s", alias);
    for (unsigned i = 0; i < width; i++)
        add_column(g, alias, names[i], types[i]);
}

static void from_unnest(struct gen *g)
{
    static const char *const lists[] = {"[l]", "[s]", "{d}", "[d]", "{l}"};
    const char *type = CHOOSE(g, lists);
    bool number = chance(g, 64);
    char alias[12], elem[8];
    new_name(g, alias, 'u');
    snprintf(elem, sizeof(elem), "%.*s", (int)strlen(type) - 2, type + 1);
    gen_put(g, "UNNEST(");
    gen_expr(g, type, 1);
    mr_buf_printf(g->out, ")%s AS %s(%sx%s)", number ? " WITH ORDINALITY" : "", alias,
                  type[0] == '{' ? "w, " : "", number ? ", o" : "");
    if (type[0] == '{')
        add_column(g, alias, "w", "t");
    add_column(g, alias, "x", elem);
    if (number)
        add_column(g, alias, "o", "l");
}

static void from_item(struct gen *g, bool first)
{
    switch (gen_pick(g, g->depth > 2 ? 2 : 6)) {
    case 0:
        from_table(g);
        break;
    case 1:
        from_values(g);
        break;
    case 2:
    case 3:
        from_query(g, false);
        break;
    case 4:
        from_query(g, !first);
        break;
    default:
        from_unnest(g);
    }
}

static void from(struct gen *g)
{
    static const char *const joins[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "};
    gen_put(g, " FROM ");
    from_item(g, true);
    for (unsigned i = 0; i < 2 && chance(g, 70); i++) {
        if (chance(g, 100)) {
            gen_put(g, " CROSS JOIN ");
            from_item(g, false);
            continue;
        }
        gen_put(g, CHOOSE(g, joins));
        from_item(g, gen_pick(g, 2) == 0);
        gen_put(g, " ON ");
        if (gen_pick(g, 4) == 0)
            gen_put(g, "true");
        else
            gen_expr(g, "b", 2);
    }
}

/* ---- queries ---- */

static void select_item(struct gen *g, const char *type, const char *name, bool grouped)
{
    if (grouped)
        gen_aggregate(g, type);
    else
        gen_expr(g, type, 3);
    if (name != NULL)
        mr_buf_printf(g->out, " AS %s", name);
}

static void group_by(struct gen *g)
{
    const char *key = g->ncolumns > 0 ? g->columns[gen_pick(g, (unsigned)g->ncolumns)].name : "1";
    switch (gen_pick(g, 4)) {
    case 0:
        mr_buf_printf(g->out, " GROUP BY %s", key);
        break;
    case 1:
        mr_buf_printf(g->out, " GROUP BY ROLLUP (%s)", key);
        break;
    case 2:
        mr_buf_printf(g->out, " GROUP BY DISTINCT CUBE (%s), CUBE (%s)", key, key);
        break;
    default:
        mr_buf_printf(g->out, " GROUP BY GROUPING SETS ((%s), ())", key);
    }
}

static void tail(struct gen *g, unsigned width)
{
    bool ordered = chance(g, 90);
    if (ordered) {
        mr_buf_printf(g->out, " ORDER BY %u", 1 + gen_pick(g, width));
        static const char *const ends[] = {"", " DESC", " NULLS FIRST", " DESC NULLS LAST"};
        gen_put(g, CHOOSE(g, ends));
    }
    if (chance(g, 30))
        mr_buf_printf(g->out, " OFFSET %u", gen_pick(g, 4));
    if (chance(g, 60))
        mr_buf_printf(g->out, " LIMIT %u", gen_pick(g, 9));
    else if (ordered && chance(g, 40))
        mr_buf_printf(g->out, " FETCH FIRST %u ROWS WITH TIES", 1 + gen_pick(g, 3));
}

static void select_block(struct gen *g, const char *const *types, unsigned width, const char *const *names)
{
    struct mr_buf *out = g->out, items = MR_BUF_INIT, rest = MR_BUF_INIT;
    size_t outer = g->ncolumns;
    bool grouped = chance(g, 60), windows = g->windows;
    g->out = &rest;
    if (!chance(g, 20))
        from(g);
    if (chance(g, 90)) {
        gen_put(g, " WHERE ");
        g->windows = false;
        gen_expr(g, "b", 3);
    }
    if (grouped && chance(g, 160))
        group_by(g);
    if (grouped && chance(g, 40)) {
        gen_put(g, " HAVING ");
        gen_aggregate(g, "b");
    }
    g->out = &items;
    g->windows = !grouped;
    for (unsigned i = 0; i < width; i++) {
        gen_put(g, i > 0 ? ", " : "");
        select_item(g, types[i], names != NULL ? names[i] : NULL, grouped);
    }
    g->windows = windows;
    g->ncolumns = outer;
    g->out = out;
    mr_buf_printf(out, "SELECT %s", chance(g, 20) ? "DISTINCT " : "");
    mr_buf_str(out, mr_buf_view(&items));
    mr_buf_str(out, mr_buf_view(&rest));
    mr_buf_release(&items);
    mr_buf_release(&rest);
}

void gen_query(struct gen *g, const char *const *types, unsigned width, const char *const *names)
{
    static const char *const operations[] = {" UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT ",
                                             " EXCEPT ALL "};
    g->depth++;
    bool set = g->depth < 3 && chance(g, 25);
    gen_put(g, set ? "(" : "");
    select_block(g, types, width, names);
    if (set) {
        mr_buf_printf(g->out, ")%s(", CHOOSE(g, operations));
        select_block(g, types, width, names);
        gen_put(g, ")");
    }
    tail(g, width);
    g->depth--;
}

void grammar_statement(const uint8_t *data, size_t size, const struct grammar_table *table,
                       struct mr_buf *out)
{
    struct gen g = {.at = data, .end = data + size, .out = out, .table = table};
    const char *types[4];
    unsigned width = 1 + gen_pick(&g, 4);
    for (unsigned i = 0; i < width; i++)
        types[i] = gen_type(&g);
    gen_query(&g, types, width, NULL);
}

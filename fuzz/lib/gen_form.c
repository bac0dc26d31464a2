/* fuzz/lib/gen_form.c - expressions with a syntax of their own: operators, CASE, CAST, subqueries, lambdas.
 */
#include "gen_form.h"

static const char *const compares[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};

static void pair(struct gen *g, const char *a, const char *op, const char *b, unsigned levels)
{
    gen_put(g, "(");
    gen_expr(g, a, levels);
    gen_put(g, op);
    gen_expr(g, b, levels);
    gen_put(g, ")");
}

/* ---- conditions ---- */

static void in_form(struct gen *g, const char *t, unsigned levels)
{
    gen_put(g, "(");
    gen_expr(g, t, levels);
    gen_put(g, gen_pick(g, 2) ? " NOT IN (" : " IN (");
    if (!g->lambda && gen_pick(g, 4) == 1) {
        gen_query(g, &t, 1, NULL);
    } else {
        for (unsigned i = 0, n = 1 + gen_pick(g, 3); i < n; i++) {
            gen_put(g, i > 0 ? ", " : "");
            gen_expr(g, t, levels);
        }
    }
    gen_put(g, "))");
}

static void query_form(struct gen *g, const char *t, unsigned levels)
{
    static const char *const which[] = {"ALL", "ANY", "SOME"};
    if (gen_pick(g, 2) == 0) {
        gen_put(g, "EXISTS (");
    } else {
        gen_put(g, "(");
        gen_expr(g, t, levels);
        mr_buf_printf(g->out, "%s%s (", CHOOSE(g, compares), CHOOSE(g, which));
        gen_query(g, &t, 1, NULL);
        gen_put(g, "))");
        return;
    }
    gen_query(g, &t, 1, NULL);
    gen_put(g, ")");
}

static void row_form(struct gen *g, const char *t, unsigned levels)
{
    gen_put(g, "((");
    gen_expr(g, t, levels);
    gen_put(g, ", ");
    gen_expr(g, "l", levels);
    bool in = gen_pick(g, 2) == 1;
    gen_put(g, in ? ") IN ((" : ") = (");
    gen_expr(g, t, levels);
    gen_put(g, ", ");
    gen_expr(g, "l", levels);
    gen_put(g, in ? ")))" : "))");
}

static void condition(struct gen *g, unsigned levels)
{
    const char *t = gen_type(g);
    if (*t == '{')
        t = "d";
    switch (gen_pick(g, 9)) {
    case 0:
        pair(g, t, CHOOSE(g, compares), t, levels);
        break;
    case 1:
        pair(g, "b", gen_pick(g, 2) ? " AND " : " OR ", "b", levels);
        break;
    case 2:
        gen_put(g, "(NOT ");
        gen_expr(g, "b", levels);
        gen_put(g, ")");
        break;
    case 3:
        gen_put(g, "(");
        gen_expr(g, gen_type(g), levels);
        gen_put(g, gen_pick(g, 2) ? " IS NULL)" : " IS NOT NULL)");
        break;
    case 4:
        gen_put(g, "(");
        gen_expr(g, t, levels);
        gen_put(g, gen_pick(g, 2) ? " BETWEEN " : " NOT BETWEEN ");
        gen_expr(g, t, levels);
        gen_put(g, " AND ");
        gen_expr(g, t, levels);
        gen_put(g, ")");
        break;
    case 5:
        in_form(g, t, levels);
        break;
    case 6:
        pair(g, "s", gen_pick(g, 2) ? " LIKE " : " NOT LIKE ", "s", levels);
        break;
    case 7:
        if (g->lambda || g->depth > 2)
            row_form(g, t, levels);
        else
            query_form(g, t, levels);
        break;
    default:
        if (gen_pick(g, 2))
            row_form(g, t, levels);
        else
            pair(g, t, " IS DISTINCT FROM ", t, levels);
    }
}

/* ---- operators by type ---- */

static bool operation(struct gen *g, const char *type, unsigned levels)
{
    static const char *const arithmetic[] = {" + ", " - ", " * ", " / ", " % "};
    static const char *const sums[] = {" + ", " - "};
    switch (*type) {
    case 'b':
        condition(g, levels);
        return true;
    case 'i':
    case 'l':
    case 'd':
        pair(g, type, CHOOSE(g, arithmetic), type, levels);
        return true;
    case 's':
        pair(g, "s", " || ", "s", levels);
        return true;
    case 't':
        pair(g, "t", CHOOSE(g, sums), gen_pick(g, 2) ? "n" : "y", levels);
        return true;
    case 'D':
        pair(g, "D", CHOOSE(g, sums), gen_pick(g, 2) ? "n" : "y", levels);
        return true;
    case 'T':
        pair(g, "T", CHOOSE(g, sums), "n", levels);
        return true;
    case 'n':
        if (gen_pick(g, 2))
            pair(g, "t", " - ", "t", levels);
        else
            pair(g, "n", CHOOSE(g, arithmetic), gen_pick(g, 2) ? "n" : "l", levels);
        return true;
    case 'y':
        pair(g, "y", CHOOSE(g, arithmetic), gen_pick(g, 2) ? "y" : "i", levels);
        return true;
    case '[':
        pair(g, type, " || ", type, levels);
        return true;
    default:
        return false;
    }
}

/* ---- lambdas: filter, transform, reduce over arrays and series ---- */

static void lambda_form(struct gen *g, const char *type, unsigned levels)
{
    char name[12];
    bool filter = *type == '[' && gen_pick(g, 2) == 1;
    bool outer = g->lambda, windows = g->windows;
    size_t columns = g->ncolumns;
    snprintf(name, sizeof(name), "p%u", g->names++);
    if (*type != '[') { /* reduce(ARRAY, initial, (s, x) -> s, s -> s) */
        gen_put(g, "reduce(");
        gen_expr(g, "[l]", levels);
        gen_put(g, ", ");
        gen_expr(g, type, levels);
        mr_buf_printf(g->out, ", (s, %s) -> ", name);
    } else {
        gen_put(g, filter ? "filter(" : "transform(");
        gen_expr(g, "[l]", levels);
        mr_buf_printf(g->out, ", %s -> ", name);
    }
    g->lambda = true;
    g->windows = false;
    if (g->ncolumns < MR_ARRAY_LEN(g->columns)) {
        struct gen_column *c = &g->columns[g->ncolumns++];
        snprintf(c->name, sizeof(c->name), "%s", name);
        snprintf(c->type, sizeof(c->type), "l");
    }
    gen_expr(g, *type != '[' ? type : filter ? "b" : "l", levels);
    gen_put(g, *type != '[' ? ", s -> s)" : ")");
    g->lambda = outer;
    g->windows = windows;
    g->ncolumns = columns;
}

static void case_form(struct gen *g, const char *type, unsigned levels)
{
    const char *t = gen_type(g);
    bool simple = gen_pick(g, 2) == 1 && *t != '{';
    gen_put(g, "CASE ");
    if (simple)
        gen_expr(g, t, levels);
    gen_put(g, " WHEN ");
    gen_expr(g, simple ? t : "b", levels);
    gen_put(g, " THEN ");
    gen_expr(g, type, levels);
    gen_put(g, " ELSE ");
    gen_expr(g, type, levels);
    gen_put(g, " END");
}

static void wrapped(struct gen *g, const char *before, const char *type, unsigned levels)
{
    gen_put(g, before);
    gen_expr(g, type, levels);
    gen_put(g, ")");
}

static void conditional(struct gen *g, const char *type, unsigned levels)
{
    switch (gen_pick(g, 5)) {
    case 0:
        case_form(g, type, levels);
        return;
    case 1:
        wrapped(g, "try(", type, levels);
        return;
    case 2:
        gen_put(g, "if(");
        gen_expr(g, "b", levels);
        break;
    case 3:
        gen_put(g, "coalesce(");
        gen_expr(g, type, levels);
        break;
    default:
        gen_put(g, "nullif(");
        gen_expr(g, type, levels);
    }
    gen_put(g, ", ");
    gen_expr(g, type, levels);
    gen_put(g, ")");
}

static void cast_form(struct gen *g, const char *type, const char *words, unsigned levels)
{
    gen_put(g, gen_pick(g, 2) ? "TRY_CAST(" : "CAST(");
    gen_expr(g, *type == '[' ? "[s]" : gen_pick(g, 3) == 1 ? "d" : gen_type(g), levels);
    mr_buf_printf(g->out, " AS %s)", words);
}

static void subscript(struct gen *g, const char *type, unsigned levels)
{
    char list[8];
    snprintf(list, sizeof(list), "[%.3s]", type);
    gen_put(g, "(");
    gen_expr(g, list, levels);
    gen_put(g, ")[");
    gen_expr(g, "i", 0);
    gen_put(g, "]");
}

bool gen_form(struct gen *g, const char *type, const char *words, unsigned levels)
{
    switch (gen_pick(g, 7)) {
    case 0:
    case 1:
        return operation(g, type, levels);
    case 2:
        conditional(g, type, levels);
        return true;
    case 3:
        if (words == NULL)
            return false;
        cast_form(g, type, words, levels);
        return true;
    case 4:
        if (g->lambda || g->depth > 2)
            return false;
        gen_put(g, "(");
        gen_query(g, &type, 1, NULL);
        gen_put(g, ")");
        return true;
    case 5:
        if (strlen(type) > 1)
            return false;
        subscript(g, type, levels);
        return true;
    default:
        if (*type == '{' || (*type == '[' && type[1] != 'l'))
            return false;
        lambda_form(g, type, levels);
        return true;
    }
}

/* A program in C with Lisp in it. It ends with the number of the first check that fails. */

#include "geiko.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks = 0;

static void check(bool truth, const char *what)
{
    checks++;
    if (!truth) {
        fprintf(stderr, "check %d failed: %s\n", checks, what);
        exit(checks);
    }
}

static int64_t integer(GeikoLisp *lisp, GeikoObject *object)
{
    int64_t number = -1;
    check(object != NULL && geiko_get_integer(lisp, object, &number), "an integer");
    geiko_release(object);
    return number;
}

/* (weigh text) -> its length times the number in the context, by a call of Lisp. */
static GeikoObject *weigh(void *context, GeikoLisp *lisp, const GeikoObject *const *arguments,
                          size_t count)
{
    if (count != 1) {
        geiko_fail(lisp, "weigh wants one argument");
        return NULL;
    }
    GeikoObject *length = geiko_call(lisp, "length", arguments, 1);
    if (length == NULL)
        return NULL;
    return geiko_integer(lisp, integer(lisp, length) * *(int *)context);
}

int main(void)
{
    GeikoLisp *lisp = geiko_new();
    check(lisp != NULL, "Lisp starts");

    check(integer(lisp, geiko_eval(lisp, "(defun twice (x) (* 2 x)) (twice 21)")) == 42, "eval");
    GeikoObject *big = geiko_integer(lisp, INT64_MAX);
    const GeikoObject *one[] = {big};
    check(integer(lisp, geiko_call(lisp, "identity", one, 1)) == INT64_MAX, "64 bits");
    geiko_release(big);

    GeikoObject *text = geiko_string(lisp, "Gr\xc3\xb6\xc3\x9f" "e");
    const GeikoObject *texts[] = {text};
    GeikoObject *upper = geiko_call(lisp, "string-upcase", texts, 1);
    char *characters = geiko_get_string(lisp, upper);
    check(characters != NULL && strncmp(characters, "GR", 2) == 0, "strings");
    geiko_free_text(characters);
    geiko_release(upper);

    float number = 0;
    GeikoObject *half = geiko_eval(lisp, "(/ 1.0 2)");
    check(geiko_get_float(lisp, half, &number) && number == 0.5f, "floats");

    const GeikoObject *both[] = {text, half};
    GeikoObject *list = geiko_list(lisp, both, 2);
    const GeikoObject *lists[] = {list};
    check(integer(lisp, geiko_call(lisp, "length", lists, 1)) == 2, "lists");
    geiko_release(half);
    geiko_release(list);

    check(geiko_eval(lisp, "(car 3)") == NULL, "errors are NULL");
    check(strstr(geiko_error(lisp), "LIST") != NULL, "errors have a text");
    GeikoObject *nil = geiko_eval(lisp, "nil");
    int64_t none;
    check(geiko_is_nil(lisp, nil) && !geiko_get_integer(lisp, nil, &none), "NIL");
    geiko_release(nil);

    int factor = 3;
    check(geiko_define(lisp, "weigh", weigh, &factor), "define");
    check(integer(lisp, geiko_eval(lisp, "(+ 1 (weigh \"four\"))")) == 13, "functions of C");
    check(geiko_eval(lisp, "(weigh)") == NULL, "errors of functions of C");
    check(strcmp(geiko_error(lisp), "weigh wants one argument") == 0, "have their text");
    check(geiko_eval(lisp, "(weigh 5)") == NULL, "errors of Lisp pass through C");

    /* An object lives as long as its handle. */
    GeikoObject *kept = geiko_eval(lisp, "(list 1 2 3)");
    geiko_release(geiko_eval(lisp, "(gc) (dotimes (n 100000) (list n))"));
    const GeikoObject *keptlist[] = {kept};
    check(integer(lisp, geiko_call(lisp, "third", keptlist, 1)) == 3, "handles");

    GeikoLisp *other = geiko_new();
    check(geiko_call(other, "car", keptlist, 1) == NULL, "objects of another Lisp");
    check(integer(other, geiko_eval(other, "(if (fboundp 'twice) 1 2)")) == 2, "two Lisps");
    geiko_free(other);

    geiko_release(text);
    geiko_free(lisp);
    geiko_release(kept);
    printf("%d checks\n", checks);
    return 0;
}

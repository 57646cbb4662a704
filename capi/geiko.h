/* Lisp in programs written in C: see docs/embedding.md. */

#ifndef GEIKO_H
#define GEIKO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 A Lisp. Each belongs to the thread that made it.
 */
typedef struct GeikoLisp GeikoLisp;

/*
 A handle on an object of Lisp, which lives as long as the handle.
 */
typedef struct GeikoObject GeikoObject;

/*
 A function of C for Lisp. Its arguments are handles that are freed by the caller; its
 result is freed by the caller, too. NULL is an error in Lisp, with the text that
 geiko_fail was told, or that of what was last wrong.
 */
typedef GeikoObject *(*GeikoFunction)(void *context,
                                      GeikoLisp *lisp,
                                      const GeikoObject *const *arguments,
                                      size_t count);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The built-in Lisp. NULL if it cannot be started; standard error says why.
 */
GeikoLisp *geiko_new(void);

/*
 The image of the built-in Lisp in a file that save-image has written. NULL if it cannot
 be started; standard error says why.

 # Safety

 `path` ends with a NUL.
 */
GeikoLisp *geiko_open(const char *path);

/*
 Ends a Lisp. Handles on its objects are freed as always, before or after.

 # Safety

 `lisp` is NULL or comes from geiko_new or geiko_open, and is not used any more.
 */
void geiko_free(GeikoLisp *lisp);

/*
 What was last wrong, until something else is.

 # Safety

 `lisp` is a Lisp in use.
 */
const char *geiko_error(const GeikoLisp *lisp);

/*
 In a function of C for Lisp: the text of the error that its NULL is.

 # Safety

 `lisp` is a Lisp in use, and `why` ends with a NUL.
 */
void geiko_fail(GeikoLisp *lisp, const char *why);

/*
 Evaluates the forms of a text; the value of the last one. NULL if something is wrong.

 # Safety

 `lisp` is a Lisp in use, and `forms` ends with a NUL.
 */
GeikoObject *geiko_eval(GeikoLisp *lisp, const char *forms);

/*
 Calls the function with a name; its value. NULL if something is wrong.

 # Safety

 `lisp` is a Lisp in use, `name` ends with a NUL, and there are `count` handles at
 `arguments`.
 */
GeikoObject *geiko_call(GeikoLisp *lisp,
                        const char *name,
                        const GeikoObject *const *arguments,
                        size_t count);

/*
 Makes a function of C the definition of a symbol. False if something is wrong.

 # Safety

 `lisp` is a Lisp in use, `name` ends with a NUL, and `function` can be called with
 `context` as long as there is the Lisp.
 */
bool geiko_define(GeikoLisp *lisp, const char *name, GeikoFunction function, void *context);

/*
 Lets go of an object.

 # Safety

 `object` is NULL or a handle that is not used any more.
 */
void geiko_release(GeikoObject *object);

/*
 An integer. NULL if something is wrong.

 # Safety

 `lisp` is a Lisp in use.
 */
GeikoObject *geiko_integer(GeikoLisp *lisp, int64_t number);

/*
 A float. NULL if something is wrong.

 # Safety

 `lisp` is a Lisp in use.
 */
GeikoObject *geiko_float(GeikoLisp *lisp, float number);

/*
 A string, from UTF-8. NULL if something is wrong.

 # Safety

 `lisp` is a Lisp in use, and `characters` ends with a NUL.
 */
GeikoObject *geiko_string(GeikoLisp *lisp, const char *characters);

/*
 A list. NULL if something is wrong.

 # Safety

 `lisp` is a Lisp in use, and there are `count` handles at `elements`.
 */
GeikoObject *geiko_list(GeikoLisp *lisp, const GeikoObject *const *elements, size_t count);

/*
 Whether an object is NIL: false, and the empty list.

 # Safety

 `lisp` is a Lisp in use, and `object` a handle of it.
 */
bool geiko_is_nil(GeikoLisp *lisp, const GeikoObject *object);

/*
 The value of an integer. False if it is none of 64 bits.

 # Safety

 `lisp` is a Lisp in use, `object` a handle of it, and `number` has room for the value.
 */
bool geiko_get_integer(GeikoLisp *lisp, const GeikoObject *object, int64_t *number);

/*
 The value of a float. False if it is none.

 # Safety

 `lisp` is a Lisp in use, `object` a handle of it, and `number` has room for the value.
 */
bool geiko_get_float(GeikoLisp *lisp, const GeikoObject *object, float *number);

/*
 The characters of a string in UTF-8, to be freed with geiko_free_text; NUL characters
 are left out. NULL if it is no string.

 # Safety

 `lisp` is a Lisp in use, and `object` a handle of it.
 */
char *geiko_get_string(GeikoLisp *lisp, const GeikoObject *object);

/*
 Frees what geiko_get_string has returned.

 # Safety

 `characters` is NULL or comes from geiko_get_string, and is not used any more.
 */
void geiko_free_text(char *characters);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GEIKO_H */

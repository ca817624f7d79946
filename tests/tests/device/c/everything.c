/* Holds on to all that evaluates a model, or with ONLY_USUAL to what most programs call: linked to measure it and to show that it cannot panic, and never run. */
#include "ffm.h"

typedef void function(void);

extern function *const everything[];
function *const everything[] = {
    (function *)ffm_parse,
    (function *)ffm_self_test,
    (function *)ffm_eval,
#ifndef ONLY_USUAL
    (function *)ffm_eval_batch,
    (function *)ffm_eval_codes,
    (function *)ffm_eval_fixed,
    (function *)ffm_inputs,
    (function *)ffm_outputs,
    (function *)ffm_scratch_words,
    (function *)ffm_batch_scratch_words,
    (function *)ffm_checksum,
#endif
};

function *const *_start(void);
function *const *_start(void)
{
    return everything;
}

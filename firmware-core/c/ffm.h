/* Evaluates models of Fourier-feature networks, model.ffm: the same bits on every core.
 *
 *     static ffm_model model;                           -- the handle; the caller owns all memory
 *     static uint32_t scratch[MODEL_SCRATCH_WORDS];     -- from model.h, which `trainer export` writes
 *     if (ffm_parse(&model, model_ffm, MODEL_BYTES) != FFM_STATUS_OK) ...
 *     ffm_eval(&model, point, MODEL_INPUTS, scratch, MODEL_SCRATCH_WORDS, values, MODEL_OUTPUTS);
 *
 * Nothing here allocates, keeps state, prints or panics. Every function may be called from several threads at once, with
 * scratches of their own. A null pointer, a length that does not fit or a handle without a model gives a status.
 *
 * Written by cbindgen from firmware-core/src/c. Do not edit: `cargo xtask test --overwrite` renews it. */

#ifndef FFM_H
#define FFM_H

#include <stddef.h>
#include <stdint.h>

/**
 * Size of a handle in words of the machine. Larger than it has to be, so that the interface can stay when the library
 * changes.
 */
#define FFM_MODEL_WORDS 60

/**
 * Words of scratch with which any model can be evaluated point by point, for firmware whose model comes later. A model
 * that is known needs much less: `trainer export` writes the number beside it.
 */
#define FFM_MAX_SCRATCH_WORDS 4112

/**
 * What a call has come to: 0 for success, any other number for one kind of error. ffm_message has a sentence for each.
 */
enum ffm_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * The call did what it should.
   */
  FFM_STATUS_OK = 0,
  /**
   * A pointer is null.
   */
  FFM_STATUS_NULL_POINTER = 1,
  /**
   * A pointer to points, values or scratch is not a multiple of four.
   */
  FFM_STATUS_MISALIGNED_BUFFER = 2,
  /**
   * The handle holds no model: ffm_parse was not called, or has failed.
   */
  FFM_STATUS_NOT_PARSED = 3,
  /**
   * The model does not begin at an address that is a multiple of four.
   */
  FFM_STATUS_MISALIGNED = 10,
  /**
   * The model is cut short: its length is smaller than the file's.
   */
  FFM_STATUS_TRUNCATED = 11,
  /**
   * The length is larger than the file's.
   */
  FFM_STATUS_TRAILING_BYTES = 12,
  /**
   * The bytes are no model file.
   */
  FFM_STATUS_MAGIC = 13,
  /**
   * The model was written in a newer version of the format.
   */
  FFM_STATUS_VERSION = 14,
  /**
   * The checksum differs: the model is damaged.
   */
  FFM_STATUS_CHECKSUM = 15,
  /**
   * The header of the model cannot be decoded.
   */
  FFM_STATUS_HEADER = 16,
  /**
   * The library was built without the precision of the model.
   */
  FFM_STATUS_PRECISION = 17,
  /**
   * The library was built without grids, which the model has.
   */
  FFM_STATUS_GRIDS = 18,
  /**
   * The library was built without sine layers, which the model has.
   */
  FFM_STATUS_ACTIVATION = 19,
  /**
   * A shape of the model is beyond the limits of the library.
   */
  FFM_STATUS_SHAPE = 20,
  /**
   * A domain or output map of the model cannot be used.
   */
  FFM_STATUS_SCALE = 21,
  /**
   * A weight or constant of the model is out of its range.
   */
  FFM_STATUS_WEIGHT = 22,
  /**
   * An accumulator could overflow.
   */
  FFM_STATUS_OVERFLOW = 23,
  /**
   * The text of the model is not UTF-8.
   */
  FFM_STATUS_TEXT = 24,
  /**
   * The length of the point, or of the points, does not fit the model's inputs.
   */
  FFM_STATUS_POINT_LENGTH = 40,
  /**
   * The length of the values does not fit the points and the model's outputs.
   */
  FFM_STATUS_OUTPUT_LENGTH = 41,
  /**
   * The scratch has fewer words than ffm_scratch_words tells.
   */
  FFM_STATUS_SCRATCH_LENGTH = 42,
  /**
   * The point lies outside the trained domain, and the model rejects such points.
   */
  FFM_STATUS_OUTSIDE_DOMAIN = 43,
  /**
   * The model has an input that does not consist of integer codes.
   */
  FFM_STATUS_NOT_CODES = 44,
  /**
   * The known answers differ: this build or this device does not compute what the trainer computed.
   */
  FFM_STATUS_KNOWN_ANSWER = 45,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ffm_status ffm_status;
#else
typedef int32_t ffm_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A model that was checked. The caller stores it, anywhere; only ffm_parse writes to it. It may be copied, and several
 * threads may use it at once, each with a scratch of its own. The bytes of the model must stay where they are.
 */
typedef struct {
  /**
   * Not for use.
   */
  size_t opaque[FFM_MODEL_WORDS];
} ffm_model;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Checks a model, which stays where it is, and makes a handle for it. Call it once for each model, at start.
 *
 * `bytes` has the contents of model.ffm, `len` bytes at an address that is a multiple of four. It must stay there
 * unchanged for as long as the handle is used.
 *
 * `handle` points to an ffm_model, and `bytes` to `len` bytes.
 */
ffm_status ffm_parse(ffm_model *handle, const void *bytes, size_t len);

/**
 * The number of numbers that a point has; 0 for a handle without a model.
 *
 * `handle` points to an ffm_model, or is null.
 */
size_t ffm_inputs(const ffm_model *handle);

/**
 * The number of values at a point; 0 for a handle without a model.
 *
 * `handle` points to an ffm_model, or is null.
 */
size_t ffm_outputs(const ffm_model *handle);

/**
 * Words of scratch that one point needs, FFM_MAX_SCRATCH_WORDS at most; 0 for a handle without a model.
 *
 * `handle` points to an ffm_model, or is null.
 */
size_t ffm_scratch_words(const ffm_model *handle);

/**
 * Words of scratch with which ffm_eval_batch evaluates several points side by side, where this core gains by it; 0 for
 * a handle without a model.
 *
 * `handle` points to an ffm_model, or is null.
 */
size_t ffm_batch_scratch_words(const ffm_model *handle);

/**
 * The CRC-32 of the model, which tells models apart; 0 for a handle without a model.
 *
 * `handle` points to an ffm_model, or is null.
 */
uint32_t ffm_checksum(const ffm_model *handle);

/**
 * Evaluates one point, in the user's units: `point` has ffm_inputs numbers, `values` receives ffm_outputs. `scratch`
 * has ffm_scratch_words words or more; what it holds does not matter.
 *
 * `handle` points to an ffm_model, and every other pointer to as many elements as the length behind it says. Neither
 * `values` nor `scratch` overlaps anything.
 */
ffm_status ffm_eval(const ffm_model *handle,
                    const float *point,
                    size_t point_len,
                    uint32_t *scratch,
                    size_t scratch_words,
                    float *values,
                    size_t values_len);

/**
 * Evaluates several points: `points` has ffm_inputs numbers for each, one point after the other, and `values` receives
 * ffm_outputs for each. The values are those of ffm_eval, bit for bit. With ffm_batch_scratch_words words of scratch
 * it is faster on some cores; with ffm_scratch_words it works too.
 *
 * As for ffm_eval.
 */
ffm_status ffm_eval_batch(const ffm_model *handle,
                          const float *points,
                          size_t points_len,
                          uint32_t *scratch,
                          size_t scratch_words,
                          float *values,
                          size_t values_len);

/**
 * Evaluates one point of integer codes, as an analogue-to-digital converter gives them, where the model was trained on
 * codes.
 *
 * As for ffm_eval.
 */
ffm_status ffm_eval_codes(const ffm_model *handle,
                          const uint32_t *codes,
                          size_t codes_len,
                          uint32_t *scratch,
                          size_t scratch_words,
                          float *values,
                          size_t values_len);

/**
 * Evaluates one point given as fractions of the trained period of each input, in units of 2^-32; `raw` receives what
 * the output maps take. The integer precisions use no floating point here.
 *
 * As for ffm_eval.
 */
ffm_status ffm_eval_fixed(const ffm_model *handle,
                          const uint32_t *coordinates,
                          size_t coordinates_len,
                          uint32_t *scratch,
                          size_t scratch_words,
                          int32_t *raw,
                          size_t raw_len);

/**
 * Evaluates the sixteen points whose answers the model holds, and compares every bit. Call it once, at start, and do
 * not use the model where it fails.
 *
 * `handle` points to an ffm_model and `scratch` to `scratch_words` words, which overlap nothing.
 */
ffm_status ffm_self_test(const ffm_model *handle, uint32_t *scratch, size_t scratch_words);

/**
 * A sentence in English for a status, with what to do about it. It is never null, and needs no release.
 */
const char *ffm_message(int32_t status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FFM_H */

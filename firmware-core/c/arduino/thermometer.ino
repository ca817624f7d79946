// Prints the values of a model at a point, once a second. Put model.c and model.h of `trainer export` beside this file.
#include <ffm.h>
#include "model.h"

static ffm_model model;
static uint32_t scratch[MODEL_SCRATCH_WORDS];

void setup() {
  Serial.begin(115200);
  ffm_status status = ffm_parse(&model, model_ffm, MODEL_BYTES);
  if (status == FFM_STATUS_OK) {
    status = ffm_self_test(&model, scratch, MODEL_SCRATCH_WORDS);
  }
  Serial.println(ffm_message(status));
}

void loop() {
  float point[MODEL_INPUTS] = {0}, values[MODEL_OUTPUTS];
  point[0] = analogRead(A0);
  ffm_status status = ffm_eval(&model, point, MODEL_INPUTS, scratch, MODEL_SCRATCH_WORDS, values, MODEL_OUTPUTS);
  if (status == FFM_STATUS_OK) {
    Serial.println(values[0]);
  } else {
    Serial.println(ffm_message(status));
  }
  delay(1000);
}

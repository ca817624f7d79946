// Evaluates a model by the WebAssembly module of firmware-core/examples/wasm.rs.
// Arguments: the module, the model, the points and the outputs, both f32, little-endian, and the number of values of each.
// Where the module counts its instructions, it prints how many points were evaluated alone and what they took together.
const fs = require('fs');
const [modulePath, modelPath, pointsPath, outputsPath, ...lengths] = process.argv.slice(2);
const [inputs, outputs] = lengths.map(Number);

function demand(holds, text) {
  if (!holds) {
    console.error(`error: ${text}`);
    process.exit(1);
  }
}

const { exports: wasm } = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(modulePath)), {});
const model = fs.readFileSync(modelPath);
const points = fs.readFileSync(pointsPath);
const samples = points.length / (4 * inputs);

// Memory behind the module's own, for bytes that begin at multiples of 8.
function place(bytes) {
  const start = wasm.memory.buffer.byteLength;
  wasm.memory.grow(Math.ceil(bytes / 65536) + 1);
  return start;
}
const modelAt = place(model.length);
new Uint8Array(wasm.memory.buffer).set(model, modelAt);
const words = wasm.ffm_open(modelAt, model.length);
demand(words >= 0, `${modelPath} is no model for this module`);
const scratchAt = place(4 * words);
demand(wasm.ffm_self_test(scratchAt, words) === 0, 'the known answers differ');
const pointsAt = place(points.length);
new Uint8Array(wasm.memory.buffer).set(points, pointsAt);
const outputsAt = place(4 * outputs * samples);

// In turn a point alone and a batch of seven.
let [counted, instructions] = [0, 0n];
for (let done = 0, alone = true; done < samples; alone = !alone) {
  const count = Math.min(alone ? 1 : 7, samples - done);
  const before = wasm.instructions?.value ?? 0n;
  const code = wasm.ffm_eval(pointsAt + 4 * inputs * done, count, scratchAt, words, outputsAt + 4 * outputs * done);
  demand(code === 0, `point ${done} was refused`);
  if (alone && wasm.instructions) {
    instructions += wasm.instructions.value - before;
    counted += 1;
  }
  done += count;
}
fs.writeFileSync(outputsPath, Buffer.from(wasm.memory.buffer, outputsAt, 4 * outputs * samples));
if (counted > 0) console.log(`${counted} ${instructions}`);

// Runs the model of the report: what the page shows is computed by the code that runs on the device.
(async () => {
  "use strict";
  const element = (id) => document.getElementById("live-" + id);
  const bytes = (id) => Uint8Array.from(atob(element(id).textContent), (c) => c.charCodeAt(0));
  const { inputs, outputs, shape, step, rows, bits } = JSON.parse(element("info").textContent);
  const [d, c] = [inputs.length, outputs.length];
  const state = (text, bad) => {
    element("state").textContent = text;
    element("state").className = bad ? "bad" : "good";
  };

  // The memory of the module: the model, the scratch, and points with their outputs.
  const CHUNK = 1024;
  let wasm, model, words, scratch, points, values;
  try {
    wasm = (await WebAssembly.instantiate(bytes("wasm"))).instance.exports;
    model = bytes("model");
    const start = wasm.memory.grow(Math.ceil((model.length + 8 + 4 * CHUNK * (d + c)) / 65536)) * 65536;
    new Uint8Array(wasm.memory.buffer).set(model, start);
    words = wasm.ffm_open(start, model.length);
    if (words < 0) throw new Error("the model is damaged");
    points = start + ((model.length + 3) & ~3);
    values = points + 4 * CHUNK * d;
    scratch = wasm.memory.grow(Math.ceil((4 * words) / 65536)) * 65536;
  } catch (error) {
    return state("This browser does not run the model (" + error.message + ").", true);
  }
  const matches = wasm.ffm_self_test(scratch, words) === 0;
  state(
    matches
      ? "The known answers of the model matched: this page computes the same bits as the device."
      : "The known answers of the model did not match: this browser computes other bits than the device.",
    !matches
  );

  // Outputs [n, c] at points [n, d], counted from the origins; NaN where the model refuses the point.
  const evaluate = (at) => {
    const n = at.length / d;
    const all = new Float32Array(n * c);
    for (let k = 0; k < n; k += CHUNK) {
      const count = Math.min(CHUNK, n - k);
      new Float32Array(wasm.memory.buffer, points, count * d).set(at.subarray(k * d, (k + count) * d));
      const failed = wasm.ffm_eval(points, count, scratch, words, values) !== 0;
      if (failed && count > 1) {
        for (let j = k; j < k + count; j++) all.set(evaluate(at.slice(j * d, (j + 1) * d)), j * c);
      } else {
        all.set(failed ? new Float32Array(c).fill(NaN) : new Float32Array(wasm.memory.buffer, values, count * c), k * c);
      }
    }
    return all;
  };

  // The samples: of a grid 8 or 16 bits within the range of each output, in the order of its cells; else f32.
  const blob = bytes("data").buffer;
  const cells = shape && (bits === 8 ? new Uint8Array(blob) : new Uint16Array(blob));
  const table = !shape && new Float32Array(blob);
  const target = (sample, k) => {
    if (!shape) return table[rows * d + sample * c + k];
    const code = cells[sample * c + k];
    return code === 65535 ? NaN : outputs[k].base + code * outputs[k].step;
  };
  const place = (sample) => {
    if (!shape) return table.subarray(sample * d, (sample + 1) * d);
    const at = new Float32Array(d);
    for (let axis = 0, rest = sample; axis < d; axis++) {
      const length = shape[d - 1 - axis];
      at[axis] = (rest % length) * step;
      rest = Math.floor(rest / length);
    }
    return at;
  };
  // The sample next to a point, as a part of each input's range.
  const nearest = (at) => {
    if (shape) {
      let sample = 0;
      for (let axis = d - 1; axis >= 0; axis--) {
        const length = shape[d - 1 - axis];
        sample = sample * length + Math.min(length - 1, Math.max(0, Math.round(at[axis] / step)));
      }
      return sample;
    }
    let best = 0, least = Infinity;
    for (let sample = 0; sample < rows; sample++) {
      let distance = 0;
      for (let k = 0; k < d; k++) {
        const span = inputs[k].high - inputs[k].low || 1;
        distance += ((table[sample * d + k] - at[k]) / span) ** 2;
      }
      if (distance < least) [best, least] = [sample, distance];
    }
    return best;
  };

  const number = (x) => (Number.isFinite(x) ? String(Number(x.toPrecision(6))).replace("-", "\u2212") : "none");
  const short = (x) => String(Number(x.toPrecision(4))).replace("-", "\u2212");
  const named = (of, k, x) => of[k].name + " = " + number(of[k].origin + x) + (of[k].unit && " " + of[k].unit);
  const describe = (sample) => {
    const at = place(sample), found = evaluate(at);
    const lines = outputs.map((output, k) => {
      const wanted = target(sample, k), name = c > 1 ? output.name + ": " : "", unit = output.unit && " " + output.unit;
      if (Number.isNaN(wanted)) return name + "model " + number(output.origin + found[k]) + unit + ", no data";
      return (
        name + "model " + number(output.origin + found[k]) + unit + ", target " + number(output.origin + wanted) + unit +
        ", error " + number(found[k] - wanted) + unit
      );
    });
    return inputs.map((_, k) => named(inputs, k, at[k])).join(", ") + " \u2192 " + lines.join("; ");
  };

  // A point that is typed.
  const fields = inputs.map((_, k) => element("in-" + k));
  const typed = () => Float32Array.from(fields, (field, k) => Number(field.value) - inputs[k].origin);
  const show = () => {
    const at = typed(), found = evaluate(at);
    element("out").textContent = outputs.map((_, k) => named(outputs, k, found[k])).join(", ");
    const sample = rows > 0 ? describe(nearest(at)) : "none is in this page";
    element("near").textContent = "Nearest sample: " + sample;
  };
  const type = (at) => {
    fields.forEach((field, k) => (field.value = String(Number((inputs[k].origin + at[k]).toPrecision(7)))));
    show();
  };

  const canvas = element("canvas"), draw = canvas.getContext("2d");
  const choice = element("choice"), which = element("which");
  const cursor = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  const read = (text) => (element("read").textContent = text);
  const byte = (x) => Math.max(0, Math.min(255, Math.round(255 * x)));
  // The colours of the figures, at fifths.
  const VIRIDIS = [[68, 1, 84], [65, 68, 135], [42, 120, 142], [34, 168, 132], [122, 209, 81], [253, 231, 37]];
  const viridis = (x) => {
    const at = Math.max(0, Math.min(4.999, 5 * x)), k = Math.floor(at);
    return VIRIDIS[k].map((low, channel) => low + (at - k) * (VIRIDIS[k + 1][channel] - low));
  };

  if (shape && d > 1) {
    // A map: of a volume the slice of the typed z.
    const [height, width] = shape.slice(-2);
    const picture = element("info").dataset.picture === "yes";
    [canvas.width, canvas.height] = [width, height];
    canvas.style.imageRendering = "pixelated";
    canvas.style.width = Math.max(width, Math.min(768, width * Math.max(1, Math.floor(768 / Math.max(width, height))))) + "px";
    const first = () => (d > 2 ? Math.min(shape[0] - 1, Math.max(0, Math.round(typed()[2] / step))) * height * width : 0);
    let turn = 0;
    const paint = async () => {
      const mine = ++turn, start = first(), k = Number(choice.value || 0), colours = picture && c === 3;
      const image = draw.createImageData(width, height);
      let limit = 0;
      const errors = new Float32Array(width * height);
      for (let y = 0; y < height; y += Math.ceil(8192 / width)) {
        const end = Math.min(height, y + Math.ceil(8192 / width));
        const samples = Array.from({ length: (end - y) * width }, (_, i) => y * width + i);
        const at = new Float32Array(samples.length * d);
        samples.forEach((pixel, i) => at.set(place(start + pixel), i * d));
        const found = evaluate(at);
        samples.forEach((pixel, i) => {
          const value = (channel) => (which.value === "target" ? target(start + pixel, channel) : found[i * c + channel]);
          const unit = (channel) => {
            const { low, high } = picture ? { low: 0, high: 1 } : outputs[channel];
            return (value(channel) - low) / (high - low || 1);
          };
          let colour;
          if (which.value === "error") {
            const all = colours ? [0, 1, 2] : [k];
            errors[pixel] = Math.max(...all.map((channel) => Math.abs(found[i * c + channel] - target(start + pixel, channel))));
            if (errors[pixel] > limit) limit = errors[pixel];
            colour = [0, 0, 0];
          } else if (colours) colour = [0, 1, 2].map((channel) => byte(unit(channel)));
          else colour = picture ? Array(3).fill(byte(unit(k))) : viridis(unit(k));
          image.data.set(Number.isNaN(value(colours ? 0 : k)) ? [190, 190, 190, 255] : [...colour, 255], 4 * pixel);
        });
        if (which.value !== "error") draw.putImageData(image, 0, 0);
        await new Promise((done) => setTimeout(done));
        if (mine !== turn) return;
      }
      if (which.value === "error") {
        errors.forEach((error, pixel) => {
          const white = byte(error / (limit || 1));
          image.data.set(Number.isNaN(error) ? [190, 190, 190, 255] : [white, white, white, 255], 4 * pixel);
        });
        draw.putImageData(image, 0, 0);
      }
      const unit = outputs[k].unit && " " + outputs[k].unit;
      element("scale").textContent = which.value === "error" ? "White is an error of " + number(limit) + unit + "." : "";
    };
    const under = (event) => {
      const [x, y] = cursor(event).map(Math.floor);
      return first() + Math.max(0, Math.min(height - 1, y)) * width + Math.max(0, Math.min(width - 1, x));
    };
    canvas.addEventListener("pointermove", (event) => read(describe(under(event))));
    canvas.addEventListener("click", (event) => type(place(under(event))));
    [choice, which].forEach((control) => control.addEventListener("change", paint));
    if (d > 2) fields[2].addEventListener("input", paint);
    show();
    await paint();
  } else {
    // A curve along one input; the others are as typed.
    which.hidden = true;
    const along = element("along");
    const SIZE = [900, 420], MARGIN = [76, 26, 14, 52];
    [canvas.width, canvas.height] = SIZE;
    const axis = () => Number(along.value || 0);
    let curve, range;
    const x = (value) => {
      const { low, high } = inputs[axis()];
      return MARGIN[0] + ((value - low) / (high - low || 1)) * (SIZE[0] - MARGIN[0] - MARGIN[2]);
    };
    const y = (value) => SIZE[1] - MARGIN[3] - ((value - range[0]) / (range[1] - range[0] || 1)) * (SIZE[1] - MARGIN[1] - MARGIN[3]);
    const paint = () => {
      const k = Number(choice.value || 0), j = axis(), count = SIZE[0] - MARGIN[0] - MARGIN[2] + 1, base = typed();
      const { low, high } = inputs[j];
      const at = new Float32Array(count * d);
      for (let i = 0; i < count; i++) {
        at.set(base, i * d);
        at[i * d + j] = low + (i / (count - 1)) * (high - low);
      }
      const found = evaluate(at);
      curve = Array.from({ length: count }, (_, i) => [at[i * d + j], found[i * c + k]]);
      const heights = curve.map(([, height]) => height).filter(Number.isFinite);
      range = [Math.min(outputs[k].low, ...heights), Math.max(outputs[k].high, ...heights)];
      draw.clearRect(0, 0, ...SIZE);
      draw.font = "13px system-ui, sans-serif";
      draw.strokeStyle = "#999";
      draw.fillStyle = "#444";
      draw.strokeRect(MARGIN[0], MARGIN[1], SIZE[0] - MARGIN[0] - MARGIN[2], SIZE[1] - MARGIN[1] - MARGIN[3]);
      for (let tick = 0; tick <= 4; tick++) {
        const [vx, vy] = [low + (tick / 4) * (high - low), range[0] + (tick / 4) * (range[1] - range[0])];
        draw.textAlign = tick === 0 ? "left" : tick === 4 ? "right" : "center";
        draw.fillText(short(inputs[j].origin + vx), x(vx), SIZE[1] - MARGIN[3] + 16);
        draw.textAlign = "right";
        draw.fillText(short(outputs[k].origin + vy), MARGIN[0] - 6, y(vy) + 4);
      }
      const title = (of, k) => of[k].name + (of[k].unit && " (" + of[k].unit + ")");
      draw.textAlign = "center";
      draw.fillText(title(inputs, j), (MARGIN[0] + SIZE[0] - MARGIN[2]) / 2, SIZE[1] - 12);
      draw.textAlign = "left";
      draw.fillText(title(outputs, k), MARGIN[0], 16);
      if (d === 1) {
        draw.fillStyle = "#d9743a";
        for (let sample = 0; sample < rows; sample++) {
          const height = y(target(sample, k));
          if (!Number.isNaN(height)) draw.fillRect(x(place(sample)[0]) - 1.5, height - 1.5, 3, 3);
        }
      }
      draw.save();
      draw.beginPath();
      draw.rect(MARGIN[0], MARGIN[1], SIZE[0] - MARGIN[0] - MARGIN[2], SIZE[1] - MARGIN[1] - MARGIN[3]);
      draw.clip();
      draw.beginPath();
      curve.forEach(([u, v]) => draw.lineTo(x(u), y(v)));
      draw.strokeStyle = "#2a78b5";
      draw.lineWidth = 1.5;
      draw.stroke();
      draw.restore();
      draw.lineWidth = 1;
    };
    const under = (event) => {
      const at = typed(), { low, high } = inputs[axis()];
      const part = (cursor(event)[0] - MARGIN[0]) / (SIZE[0] - MARGIN[0] - MARGIN[2]);
      at[axis()] = low + Math.max(0, Math.min(1, part)) * (high - low);
      return at;
    };
    canvas.addEventListener("pointermove", (event) => {
      const at = under(event), found = evaluate(at);
      const here = inputs.map((_, k) => named(inputs, k, at[k])).join(", ");
      const text = here + " \u2192 model " + outputs.map((_, k) => named(outputs, k, found[k])).join(", ");
      read(text + (rows > 0 ? "; nearest sample: " + describe(nearest(at)) : ""));
    });
    canvas.addEventListener("click", (event) => type(under(event)));
    [choice, along, ...fields].forEach((control) => control && control.addEventListener("input", paint));
    element("scale").textContent = d === 1 ? "The line is the model, the points are the data." : "The line is the model.";
    show();
    paint();
  }
  fields.forEach((field) => field.addEventListener("input", show));
})();

"""Evaluates model.ffm in Python with the library that `cargo xtask export-c` builds for this computer.

    model = Model("model.ffm", "lib/x86_64-unknown-linux-gnu/libffm.so")
    values = model([[12.5], [20.0]])  # a list of values for each point
"""
import ctypes


class Model:
    def __init__(self, path, library):
        self.ffm = ctypes.CDLL(library)
        self.ffm.ffm_message.restype = ctypes.c_char_p
        for count in ("ffm_inputs", "ffm_outputs", "ffm_batch_scratch_words"):
            getattr(self.ffm, count).restype = ctypes.c_size_t
        data = open(path, "rb").read()
        self.words = (ctypes.c_uint32 * -(-len(data) // 4))()  # aligned, and kept as long as the handle
        ctypes.memmove(self.words, data, len(data))
        self.handle = (ctypes.c_size_t * 60)()  # FFM_MODEL_WORDS
        self.check(self.ffm.ffm_parse(self.handle, self.words, ctypes.c_size_t(len(data))))
        self.inputs, self.outputs = self.ffm.ffm_inputs(self.handle), self.ffm.ffm_outputs(self.handle)
        self.scratch = (ctypes.c_uint32 * self.ffm.ffm_batch_scratch_words(self.handle))()
        self.check(self.ffm.ffm_self_test(self.handle, *self.buffer(self.scratch)))

    def check(self, status):
        if status != 0:
            raise ValueError(self.ffm.ffm_message(status).decode())

    @staticmethod
    def buffer(array):
        return array, ctypes.c_size_t(len(array))

    def __call__(self, points):
        points = [number for point in points for number in point]
        point_array = (ctypes.c_float * len(points))(*points)
        values = (ctypes.c_float * (len(points) // self.inputs * self.outputs))()
        buffers = [part for array in (point_array, self.scratch, values) for part in self.buffer(array)]
        self.check(self.ffm.ffm_eval_batch(self.handle, *buffers))
        return [values[k : k + self.outputs] for k in range(0, len(values), self.outputs)]

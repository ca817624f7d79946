//! What the assembler is told of the core, so that it accepts the instructions of its extensions.

/// What the assembler has to be told on Armv8-M, where the core of `-C target-cpu` does not reach it.
#[cfg(all(kernels_v8m, kernels = "dsp"))]
macro_rules! extensions {
    () => {
        "\n    .cpu    cortex-m33\n"
    };
}
#[cfg(kernels = "mve")]
macro_rules! extensions {
    () => {
        "\n    .cpu    cortex-m55\n"
    };
}
#[cfg(any(kernels = "v7m", all(not(kernels_v8m), kernels = "dsp")))]
macro_rules! extensions {
    () => {
        ""
    };
}

pub(super) use extensions;

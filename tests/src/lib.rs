//! The workspace's integration tests, the QEMU harness and `cargo xtask`.

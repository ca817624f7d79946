//! Evaluates quantized Fourier-feature networks without `std` and without allocation.
#![no_std]

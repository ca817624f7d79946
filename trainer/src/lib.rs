//! Trains, explains and quantizes Fourier-feature networks.

//! The contrast transfer function of an electron microscope.
//!
//! `CTF(k) = √(1-A²) sin χ + A cos χ` with `χ = πλΔz(θ)|k|² - (π/2)C_s λ³|k|⁴ + φ`: protein white, positive at k = 0,
//! as RELION has it (its images have their contrast inverted). Underfocus Δz is positive; `Δz(θ) = ½(u + v + (u - v)
//! cos 2(θ - θ₀))`. An image's scale s and B-factor B multiply it by `s·exp(-B|k|²/4)`.
//!
//! A tilted beam turns the phase of the image's coefficients by `-2π·C_s λ²|k|² (t·k)` with the tilt t in radians,
//! which [`Ctf::tilt_turns`] undoes.

use std::f64::consts::PI;

/// Parameters of one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ctf {
    /// Defocus along the first axis, Å.
    pub defocus_u: f64,
    /// Defocus along the second axis, Å.
    pub defocus_v: f64,
    /// Angle of the first axis from x, degrees.
    pub defocus_angle: f64,
    /// Accelerating voltage, kV.
    pub voltage: f64,
    /// Spherical aberration C_s, mm.
    pub spherical_aberration: f64,
    /// Amplitude contrast A, 0 to 1.
    pub amplitude_contrast: f64,
    /// Phase shift φ of a phase plate, degrees.
    pub phase_shift: f64,
    /// s.
    pub scale: f64,
    /// B, Å².
    pub b_factor: f64,
    /// Along x and y, mrad.
    pub beam_tilt: [f64; 2],
}

/// The [extras](Ctf::extras) of an image that has none.
pub const NO_EXTRAS: [f64; 4] = [1.0, 0.0, 0.0, 0.0];

impl Ctf {
    /// Round defocus (Å) of a usual 300 kV microscope.
    pub fn with_defocus(defocus: f64) -> Self {
        Self {
            defocus_u: defocus,
            defocus_v: defocus,
            defocus_angle: 0.0,
            voltage: 300.0,
            spherical_aberration: 2.7,
            amplitude_contrast: 0.1,
            phase_shift: 0.0,
            scale: 1.0,
            b_factor: 0.0,
            beam_tilt: [0.0; 2],
        }
    }

    /// Scale, B-factor and the beam's tilt along x and y: what most images do not have.
    pub fn extras(&self) -> [f64; 4] {
        let [x, y] = self.beam_tilt;
        [self.scale, self.b_factor, x, y]
    }

    /// The same with other [extras](Self::extras).
    #[must_use]
    pub fn with_extras(self, [scale, b_factor, x, y]: [f64; 4]) -> Self {
        Self { scale, b_factor, beam_tilt: [x, y], ..self }
    }

    /// Relativistic wavelength of the electron, Å.
    pub fn wavelength(&self) -> f64 {
        let volts = 1e3 * self.voltage;
        12.264_259 / (volts + 0.978_466e-6 * volts * volts).sqrt()
    }

    /// The value at (kx, ky), cycles per ångström.
    pub fn at(&self, kx: f64, ky: f64) -> f64 {
        let (squared, wavelength) = (kx * kx + ky * ky, self.wavelength());
        let axis = 2.0 * (ky.atan2(kx) - self.defocus_angle.to_radians());
        let defocus = 0.5 * (self.defocus_u + self.defocus_v + (self.defocus_u - self.defocus_v) * axis.cos());
        let chi = PI * wavelength * defocus * squared
            - 0.5 * PI * 1e7 * self.spherical_aberration * wavelength.powi(3) * squared * squared
            + self.phase_shift.to_radians();
        let value = (1.0 - self.amplitude_contrast.powi(2)).sqrt() * chi.sin() + self.amplitude_contrast * chi.cos();
        value * self.scale * (-0.25 * self.b_factor * squared).exp()
    }

    /// By how many turns to advance the phase of an image's coefficient at (kx, ky), cycles per ångström, to undo the
    /// beam's tilt.
    pub fn tilt_turns(&self, kx: f64, ky: f64) -> f64 {
        let [x, y] = self.beam_tilt.map(|milliradians| 1e-3 * milliradians);
        1e7 * self.spherical_aberration * self.wavelength().powi(2) * (kx * kx + ky * ky) * (kx * x + ky * y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wavelengths_are_the_textbook_ones() {
        for (voltage, wavelength) in [(100.0, 0.037_01), (200.0, 0.025_08), (300.0, 0.019_69)] {
            let found = Ctf { voltage, ..Ctf::with_defocus(1e4) }.wavelength();
            assert!((found - wavelength).abs() < 1e-5, "{voltage} kV: {found}");
        }
    }

    #[test]
    fn values_are_those_of_the_definition() {
        let ctf = Ctf::with_defocus(15_000.0);
        assert!((ctf.at(0.0, 0.0) - 0.1).abs() < 1e-12);
        // λ = 0.0196875 Å: χ(0.05) = π·295.3125·0.0025 - ½π·2.7e7·7.6308e-6·6.25e-6 = 2.319379 - 0.002023.
        let chi: f64 = 2.317_356;
        assert!((ctf.at(0.05, 0.0) - (0.99f64.sqrt() * chi.sin() + 0.1 * chi.cos())).abs() < 2e-4);
        assert!((ctf.at(0.03, 0.04) - ctf.at(0.05, 0.0)).abs() < 1e-12, "round without astigmatism");
        // The first zero without aberration: λΔz k² = 1 - asin(A)/π.
        let plain = Ctf { spherical_aberration: 0.0, ..ctf };
        let zero = ((1.0 - 0.1f64.asin() / PI) / (plain.wavelength() * 15_000.0)).sqrt();
        assert!(plain.at(0.0, zero).abs() < 1e-9);
        assert!(plain.at(0.0, 0.99 * zero) > 0.0 && plain.at(0.0, 1.01 * zero) < 0.0);
    }

    #[test]
    fn scale_and_b_factor_multiply() {
        let plain = Ctf::with_defocus(15_000.0);
        let ctf = Ctf { scale: 0.8, b_factor: 60.0, ..plain };
        // exp(-60·0.0025/4) = exp(-0.0375) = 0.963194.
        assert!((ctf.at(0.03, 0.04) / plain.at(0.03, 0.04) - 0.8 * 0.963_194).abs() < 1e-6);
        assert_eq!(ctf.at(0.0, 0.0), 0.8 * plain.at(0.0, 0.0));
    }

    /// RELION's selfApplyBeamTilt advances a coefficient by 0.360·C_s·10⁷·λ²·(i² + j²)(i·t_y + j·t_x)/edge³ degrees. By
    /// hand at 300 kV: λ² = 3.87598e-4 Å², C_s = 2.7e7 Å, k = (0.1, -0.05), t = (0.4, 0.2) mrad: 10465.15·0.0125·3e-5
    /// turns.
    #[test]
    fn the_beams_tilt_turns_phases_as_in_relion() {
        let ctf = Ctf { beam_tilt: [0.4, 0.2], ..Ctf::with_defocus(15_000.0) };
        let turns = ctf.tilt_turns(0.1, -0.05);
        assert!((turns - 0.003_924_4).abs() < 2e-6, "{turns}");
        assert_eq!(ctf.tilt_turns(-0.1, 0.05), -turns);
        assert_eq!(Ctf::with_defocus(15_000.0).tilt_turns(0.1, -0.05), 0.0);
    }

    #[test]
    fn astigmatism_has_its_axes() {
        let ctf = Ctf { defocus_u: 16_000.0, defocus_v: 14_000.0, defocus_angle: 30.0, ..Ctf::with_defocus(0.0) };
        let along = |degrees: f64| ctf.at(0.06 * degrees.to_radians().cos(), 0.06 * degrees.to_radians().sin());
        assert!((along(30.0) - Ctf::with_defocus(16_000.0).at(0.06, 0.0)).abs() < 1e-9);
        assert!((along(120.0) - Ctf::with_defocus(14_000.0).at(0.06, 0.0)).abs() < 1e-9);
        assert!((along(75.0) - along(-15.0)).abs() < 1e-9);
    }
}

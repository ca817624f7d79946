//! The contrast transfer function of an electron microscope.
//!
//! `CTF(k) = √(1-A²) sin χ + A cos χ` with `χ = πλΔz(θ)|k|² - (π/2)C_s λ³|k|⁴ + φ`: protein white, positive at k = 0, as
//! RELION has it (its images have their contrast inverted). Underfocus Δz is positive;
//! `Δz(θ) = ½(u + v + (u - v) cos 2(θ - θ₀))`.

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
}

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
        }
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
        (1.0 - self.amplitude_contrast.powi(2)).sqrt() * chi.sin() + self.amplitude_contrast * chi.cos()
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
    fn astigmatism_has_its_axes() {
        let ctf = Ctf { defocus_u: 16_000.0, defocus_v: 14_000.0, defocus_angle: 30.0, ..Ctf::with_defocus(0.0) };
        let along = |degrees: f64| ctf.at(0.06 * degrees.to_radians().cos(), 0.06 * degrees.to_radians().sin());
        assert!((along(30.0) - Ctf::with_defocus(16_000.0).at(0.06, 0.0)).abs() < 1e-9);
        assert!((along(120.0) - Ctf::with_defocus(14_000.0).at(0.06, 0.0)).abs() < 1e-9);
        assert!((along(75.0) - along(-15.0)).abs() < 1e-9);
    }
}

//! Orientations: rotations of the molecule, uniform on SO(3), and their Euler angles in RELION's convention.
//!
//! `R(rot, tilt, psi) = Rz(psi)·Ry(tilt)·Rz(rot)` takes positions in the molecule's frame to the microscope's, whose z
//! axis is the beam: `r' = R r` (each factor turns the axes, as in RELION). The image at (kx, ky) is the volume at
//! `Rᵀ(kx, ky, 0)`.

use rand_distr::{Distribution, StandardNormal};

/// A rotation matrix, row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotation(pub [[f64; 3]; 3]);

impl Rotation {
    /// Drawn uniformly: the direction of four normal deviates is uniform on the sphere of unit quaternions.
    pub fn random(rng: &mut impl rand::Rng) -> Self {
        loop {
            let q: [f64; 4] = std::array::from_fn(|_| StandardNormal.sample(rng));
            let norm = q.iter().map(|q| q * q).sum::<f64>().sqrt();
            if norm > 1e-6 {
                return Self::from_quaternion(q.map(|q| q / norm));
            }
        }
    }

    fn from_quaternion([w, x, y, z]: [f64; 4]) -> Self {
        Self([
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
            [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
            [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
        ])
    }

    /// From (rot, tilt, psi) in degrees.
    pub fn from_euler(angles: [f64; 3]) -> Self {
        let [(sa, ca), (sb, cb), (sg, cg)] = angles.map(|angle| angle.to_radians().sin_cos());
        Self([
            [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
            [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
            [sb * ca, sb * sa, cb],
        ])
    }

    /// (rot, tilt, psi) in degrees, tilt in 0 … 180.
    pub fn to_euler(self) -> [f64; 3] {
        let [first, second, third] = self.0;
        let sine = third[0].hypot(third[1]);
        let tilt = sine.atan2(third[2]);
        // At the poles only the sum or difference of rot and psi counts.
        let (rot, psi) = if sine > 1e-9 {
            (third[1].atan2(third[0]), second[2].atan2(-first[2]))
        } else {
            (0.0, (-second[0] * third[2].signum()).atan2(first[0] * third[2].signum()))
        };
        [rot, tilt, psi].map(f64::to_degrees)
    }

    /// R r: from the molecule's frame to the microscope's.
    pub fn apply(&self, r: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|i| (0..3).map(|j| self.0[i][j] * r[j]).sum())
    }

    /// Rᵀ(kx, ky, 0): where a coefficient of the image lies in the volume.
    pub fn slice_point(&self, kx: f64, ky: f64) -> [f64; 3] {
        std::array::from_fn(|j| self.0[0][j] * kx + self.0[1][j] * ky)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn euler_angles_come_back() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let poles = [[0.0, 0.0, 25.0], [0.0, 180.0, -70.0], [0.0, 0.0, 0.0]].map(Rotation::from_euler);
        for rotation in (0..200).map(|_| Rotation::random(&mut rng)).collect::<Vec<_>>().into_iter().chain(poles) {
            let again = Rotation::from_euler(rotation.to_euler());
            for (a, b) in rotation.0.iter().flatten().zip(again.0.iter().flatten()) {
                assert!((a - b).abs() < 1e-9, "{rotation:?} {again:?}");
            }
        }
    }

    /// RELION: rot turns about z first, so that (90, 0, 0) takes the molecule's y to the image's x.
    #[test]
    fn the_convention_is_relions() {
        let turned = Rotation::from_euler([90.0, 0.0, 0.0]).apply([0.0, 1.0, 0.0]);
        assert!((turned[0] - 1.0).abs() < 1e-12);
        let tilted = Rotation::from_euler([0.0, 90.0, 0.0]).apply([1.0, 0.0, 0.0]);
        assert!((tilted[2] - 1.0).abs() < 1e-12);
    }

    /// Of a uniform rotation, every entry is uniform on [-1, 1], and 1 + 2cos of the angle has mean 0, variance 1.
    #[test]
    fn rotations_are_uniform() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let count = 20_000;
        let rotations: Vec<Rotation> = (0..count).map(|_| Rotation::random(&mut rng)).collect();
        for (i, j) in [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2)] {
            let mut entries: Vec<f64> = rotations.iter().map(|r| r.0[i][j]).collect();
            entries.sort_by(f64::total_cmp);
            let distance = |(rank, entry): (usize, &f64)| (0.5 * (entry + 1.0) - rank as f64 / count as f64).abs();
            let largest = entries.iter().enumerate().map(distance).fold(0.0, f64::max);
            // The Kolmogorov-Smirnov bound that one in 10,000 draws exceeds.
            assert!(largest < 2.2 / (count as f64).sqrt(), "entry {i} {j}: {largest}");
        }
        let traces = rotations.iter().map(|r| r.0[0][0] + r.0[1][1] + r.0[2][2]);
        let (sum, squares) = traces.fold((0.0, 0.0), |(s, q), t| (s + t, q + t * t));
        assert!((sum / f64::from(count)).abs() < 0.03 && (squares / f64::from(count) - 1.0).abs() < 0.04);
    }
}

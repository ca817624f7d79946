//! The Fourier coefficients of a real volume on a centred grid, as [`crate::base::fourier`] orders them.

use rustfft::num_complex::Complex32;

use crate::base::fourier::{Direction, transform};

/// Fourier coefficients of a real volume on a centred `size³` grid, `[kz, ky, kx]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FourierVolume {
    size: usize,
    voxel_size: f64,
    values: Vec<Complex32>,
}

impl FourierVolume {
    /// All coefficients zero; `voxel_size` in ångström.
    pub fn zeros(size: usize, voxel_size: f64) -> Self {
        Self { size, voxel_size, values: vec![Complex32::default(); size.pow(3)] }
    }

    /// Voxels along an edge.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Edge of a voxel, Å.
    pub fn voxel_size(&self) -> f64 {
        self.voxel_size
    }

    /// Whole frequencies (kx, ky, kz) with |k| ≤ radius.
    pub fn ball(&self, radius: usize) -> Vec<[i32; 3]> {
        let radius = radius as i32;
        let range = || -radius..=radius;
        range()
            .flat_map(|z| range().flat_map(move |y| range().map(move |x| [x, y, z])))
            .filter(|k| k.iter().map(|k| k * k).sum::<i32>() <= radius * radius)
            .collect()
    }

    fn index(&self, k: [i32; 3]) -> usize {
        let half = (self.size / 2) as i32;
        let [x, y, z] = k.map(|k| (k + half) as usize);
        (z * self.size + y) * self.size + x
    }

    /// The coefficient at a whole frequency with |k_d| < size/2.
    pub fn get(&self, k: [i32; 3]) -> Complex32 {
        self.values[self.index(k)]
    }

    /// Sets the coefficient.
    pub fn set(&mut self, k: [i32; 3], value: Complex32) {
        let index = self.index(k);
        self.values[index] = value;
    }

    /// Adds to the coefficient.
    pub fn add(&mut self, k: [i32; 3], value: Complex32) {
        let index = self.index(k);
        self.values[index] += value;
    }

    /// All coefficients, `[kz, ky, kx]`, centred.
    pub(crate) fn values_mut(&mut self) -> &mut [Complex32] {
        &mut self.values
    }

    /// Trilinear interpolation at a frequency in grid units; zero beyond the grid.
    pub fn interpolate(&self, k: [f32; 3]) -> Complex32 {
        let mut sum = Complex32::default();
        for (corner, weight) in corners(k) {
            if corner.iter().all(|&k| k.unsigned_abs() < self.size as u32 / 2) {
                sum += self.get(corner) * weight;
            }
        }
        sum
    }

    /// The volume itself, `[z, y, x]`: the density if the coefficients are integrals over ångströms.
    pub fn to_real(&self) -> Vec<f32> {
        let mut values = self.values.clone();
        transform(&mut values, self.size, Direction::Inverse);
        let factor = (1.0 / self.voxel_size.powi(3)) as f32;
        values.iter().map(|value| value.re * factor).collect()
    }
}

/// The eight grid points around a frequency with their trilinear weights.
pub fn corners(k: [f32; 3]) -> impl Iterator<Item = ([i32; 3], f32)> {
    let floor = k.map(f32::floor);
    (0..8).map(move |corner: usize| {
        let mut weight = 1.0;
        let point = std::array::from_fn(|d| {
            let (fraction, up) = (k[d] - floor[d], corner >> d & 1);
            weight *= if up == 1 { fraction } else { 1.0 - fraction };
            floor[d] as i32 + up as i32
        });
        (point, weight)
    })
}

#[cfg(test)]
mod tests {
    use crate::cryo::density::Density;

    #[test]
    fn a_volume_of_coefficients_is_the_density() {
        // Deviation 4 Å on a grid of 3 Å: of a Gaussian in three dimensions 0.4 % lies beyond 7 cycles in 48 Å.
        let density = Density::new(vec![[2.0, -5.0, 8.0], [-9.0, 3.0, 0.0]], 4.0);
        let volume = density.volume(16, 3.0);
        let real = volume.to_real();
        let peak = density.at([-9.0, 3.0, 0.0]);
        for [z, y, x] in [[8, 9, 5], [11, 6, 9], [8, 8, 8], [2, 2, 2]] {
            let r = [x, y, z].map(|i| (f64::from(i) - 8.0) * 3.0);
            let found = real[((z * 16 + y) * 16 + x) as usize];
            assert!((f64::from(found) - density.at(r)).abs() < 0.03 * peak, "{r:?}: {found} {}", density.at(r));
        }
        assert_eq!(volume.interpolate([3.0, -2.0, 1.0]), volume.get([3, -2, 1]));
        let between = volume.interpolate([3.5, -2.0, 1.0]);
        assert!((between - (volume.get([3, -2, 1]) + volume.get([4, -2, 1])) * 0.5).norm() < 1e-6);
    }
}

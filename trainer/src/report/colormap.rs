//! Colours for numbers.

/// A colour map: anchor colours at equal distances over [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colormap {
    /// Black to white: intensities of a picture.
    Grey,
    /// Dark blue to yellow, perceptually even (van der Walt and Smith, CC0): values.
    Viridis,
    /// Black to pale yellow, perceptually even (the same authors, CC0): magnitudes.
    Inferno,
    /// Blue over white to red (after ColorBrewer's RdBu): signed values, zero in the middle.
    BlueRed,
}

const GREY: [[u8; 3]; 2] = [[0; 3], [255; 3]];
const VIRIDIS: [[u8; 3]; 11] = [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
];
const INFERNO: [[u8; 3]; 11] = [
    [0, 0, 4],
    [22, 11, 57],
    [66, 10, 104],
    [106, 23, 110],
    [147, 38, 103],
    [188, 55, 84],
    [221, 81, 58],
    [243, 120, 25],
    [252, 165, 10],
    [246, 215, 70],
    [252, 255, 164],
];
const BLUE_RED: [[u8; 3]; 11] = [
    [5, 48, 97],
    [33, 102, 172],
    [67, 147, 195],
    [146, 197, 222],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [244, 165, 130],
    [214, 96, 77],
    [178, 24, 43],
    [103, 0, 31],
];

impl Colormap {
    /// The colour of `t` in [0, 1]; what lies beyond, or is no number, takes the nearest end, or the first.
    #[must_use]
    pub fn rgb(self, t: f64) -> [u8; 3] {
        let anchors: &[[u8; 3]] = match self {
            Self::Grey => &GREY,
            Self::Viridis => &VIRIDIS,
            Self::Inferno => &INFERNO,
            Self::BlueRed => &BLUE_RED,
        };
        let last = anchors.len() - 1;
        let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) };
        let position = t * last as f64;
        let index = (position as usize).min(last - 1);
        let fraction = position - index as f64;
        std::array::from_fn(|c| {
            let (low, high) = (f64::from(anchors[index][c]), f64::from(anchors[index + 1][c]));
            (low + fraction * (high - low)).round() as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_middle_and_beyond() {
        assert_eq!(Colormap::Viridis.rgb(0.0), [68, 1, 84]);
        assert_eq!(Colormap::Viridis.rgb(1.0), [253, 231, 37]);
        assert_eq!(Colormap::Viridis.rgb(7.0), [253, 231, 37]);
        assert_eq!(Colormap::BlueRed.rgb(0.5), [247, 247, 247]);
        assert_eq!(Colormap::Inferno.rgb(f64::NAN), [0, 0, 4]);
    }
}

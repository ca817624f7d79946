//! The coordinate types, until `firmware-core` exports them.
#![allow(missing_docs, unreachable_pub)]

pub const MAX_INPUTS: usize = 16;
pub const MAX_OUTPUTS: usize = 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    #[default]
    Clamp,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    pub minimum: f32,
    pub maximum: f32,
    pub scale: f32,
}

impl Axis {
    pub fn new(minimum: f32, maximum: f32, period: f32) -> Self {
        Self { minimum, maximum, scale: 1.0 / period }
    }

    pub fn period(&self) -> f32 {
        1.0 / self.scale
    }

    pub fn to_fixed(&self, x: f32, _outside: Outside) -> Option<u32> {
        let unit = (x.clamp(self.minimum, self.maximum) - self.minimum) * self.scale;
        Some((unit * 4_294_967_296.0) as u32)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputMap {
    pub scale: f32,
    pub offset: f32,
}

//! A model whose every output is known: a plane over two inputs, in f32, without frequencies and hidden layers.

use firmware_core::artifact::{Header, HiddenActivation};
use firmware_core::write::{self, Description, FloatLayer, Layers};
use firmware_core::{Axis, OutputActivation, OutputMap, Outside, Precision};

/// `value = 10 + 4 · (slopes[0] · u + slopes[1] · w + height)`, where u and w run from -1 at the minimum of x and y to
/// 1 one period further; x from 0 to 3 with a period of 4, y from 0 to 1 with a period of 2.
pub(crate) struct Plane<'a> {
    pub(crate) slopes: [f32; 2],
    pub(crate) height: f32,
    pub(crate) outside: Outside,
    pub(crate) training_psnr_db: f32,
    /// Lines of the model card after the names of the inputs and outputs.
    pub(crate) card: &'a str,
}

impl Plane<'_> {
    /// The bytes of the artifact.
    pub(crate) fn artifact(&self) -> Vec<u8> {
        let header = Header {
            precision: Precision::F32,
            outside: self.outside,
            periodic: 0,
            hidden_activation: HiddenActivation::Relu,
            grid: None,
            code_bits: Default::default(),
            activation: OutputActivation::Linear,
            inputs: 2,
            outputs: 1,
            frequencies: 0,
            passthrough: 2,
            hidden: Default::default(),
            training_psnr_db: self.training_psnr_db,
            quantization_loss_db: f32::NAN,
        };
        // 1 is 32767 as a feature.
        let weights = self.slopes.map(|slope| slope / 32_767.0);
        let bias = [self.height];
        let layers = [FloatLayer { weights: &weights, bias: &bias }];
        let description = Description {
            header: &header,
            axes: &[Axis::new(0.0, 3.0, 4.0), Axis::new(0.0, 1.0, 2.0)],
            output_maps: &[OutputMap { scale: 4.0, offset: 10.0 }],
            frequencies: &[],
            grids: &[],
            text: &format!("inputs: [\"x\",\"y\"]\noutputs: [\"value\"]\n{}", self.card),
            layers: Layers::Float(&layers),
        };
        let (mut scratch, mut words) = ([0; 64], [0u32; 256]);
        let len = write::artifact(&description, &mut scratch, bytemuck::cast_slice_mut(&mut words));
        bytemuck::cast_slice(&words)[..len.expect("a valid model")].to_vec()
    }
}

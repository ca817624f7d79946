//! What is kept on the disk: the folder of a run, tensors with settings, the state of a training.

pub mod checkpoint;
pub mod error;
pub mod json;
pub mod run;
mod tensor_fault;
pub mod tensors;

//! The program `trainer` as its users meet it, and the figures that it reproduces. One program of tests, so that the
//! library is linked once.

#![allow(clippy::disallowed_methods, reason = "tests write what the program reads, and make signals")]

mod between;
mod certify;
mod commands;
mod cryo;
mod design;
mod desk;
mod encodings;
mod export;
mod faults;
mod fit;
mod grids;
mod import;
mod inverse;
mod kept;
mod nerf;
mod ntk;
mod page;
mod periodic;
mod plane;
mod predict;
mod reproduce;
mod sweep;
mod tables;
mod update;

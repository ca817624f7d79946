//! The constants that the build script derives from `memory/<board>.x`.

include!(concat!(env!("OUT_DIR"), "/board.rs"));

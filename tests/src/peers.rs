//! What other engines need for the reference networks on a Cortex-M4F.
//!
//! Counted as our own evaluations are: instructions under QEMU 7.2 with `-icount shift=0` on mps2-an386, one
//! coordinate; C by gcc 12.2 with -O3 or -Ofast, Rust 1.96 with fat LTO. The figures are constants here: none of these
//! engines is a part of this workspace. What has no encoder of its own (all of them) was given the best sine at hand,
//! which the name says.

/// One engine.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its name, and the sine that it was given for the encoding.
    pub name: &'static str,
    /// What weights and activations are.
    pub types: &'static str,
    /// Instructions of the layers of the small and the big network.
    pub mlp: [u64; 2],
    /// Instructions of the encoding; `None` where there was none.
    pub encoding: Option<[u64; 2]>,
    /// Flash without weights, in words that fit a table.
    pub flash: &'static str,
}

/// Every engine, fewest instructions first within a type.
pub const PEERS: [Peer; 9] = [
    Peer {
        name: "CMSIS-NN s8 + CMSIS-DSP sine",
        types: "int8",
        mlp: [41_382, 143_403],
        encoding: Some([7_277, 14_594]),
        flash: "3.8 KB",
    },
    Peer {
        name: "CMSIS-NN s16 + newlib sine",
        types: "int8 w, int16 a",
        mlp: [50_640, 178_336],
        encoding: Some([15_627, 31_694]),
        flash: "0.9 KB + libm",
    },
    Peer { name: "TFLM with CMSIS-NN", types: "int8", mlp: [42_574, 144_586], encoding: None, flash: "36.3 KB" },
    Peer {
        name: "CMSIS-DSP f32",
        types: "f32",
        mlp: [49_850, 189_529],
        encoding: Some([5_292, 10_625]),
        flash: "3.1 KB",
    },
    Peer {
        name: "Rust f32 loops + micromath",
        types: "f32",
        mlp: [59_216, 226_971],
        encoding: Some([3_129, 6_426]),
        flash: "2.5 KB",
    },
    Peer {
        name: "C f32 loops + newlib sine",
        types: "f32",
        mlp: [85_205, 334_165],
        encoding: Some([13_829, 28_105]),
        flash: "4.6 KB",
    },
    Peer {
        name: "emlearn f32 + newlib sine",
        types: "f32",
        mlp: [103_940, 404_196],
        encoding: Some([13_829, 28_104]),
        flash: "2.7 KB",
    },
    Peer {
        name: "burn 0.22 (ndarray)",
        types: "f32",
        mlp: [426_024, 1_520_492],
        encoding: Some([432_680, 840_304]),
        flash: "1.08 MB, 68 KB heap",
    },
    Peer { name: "microflow 0.1.3", types: "int8", mlp: [475_546, 2_108_846], encoding: None, flash: "7.2 KB" },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counts as the table has them: 1234 and 56789 are 1,234 / 56,789.
    fn pair(counts: [u64; 2]) -> String {
        counts.map(grouped).join(" / ")
    }

    fn grouped(count: u64) -> String {
        if count < 1000 { count.to_string() } else { format!("{},{:03}", grouped(count / 1000), count % 1000) }
    }

    #[test]
    fn the_table_of_the_readme_has_these_numbers() {
        assert_eq!(pair([999, 1_020_304]), "999 / 1,020,304");
        for Peer { name, types, mlp, encoding, flash } in PEERS {
            let encoding = encoding.map_or_else(|| "none".to_owned(), pair);
            let row = format!(" | {types} | {} | {encoding} | {flash} |", pair(mlp));
            let count = include_str!("../README.md").lines().filter(|line| line.ends_with(&row)).count();
            assert_eq!(count, 1, "README.md has no row for {name} that ends with{row}");
        }
    }
}

//! The same bits on aarch64 and in WebAssembly, and exact counts of instructions.

use std::process::Command;

use tests::grid_networks;
use tests::hosted::self_counting::counting;
use tests::hosted::{CORES, Core, Program, count};
use tests::process;
use tests::synthetic::PRECISIONS;
use tests::synthetic::{Network, Values};

/// Every example checks the known answers of each model before it answers.
#[test]
fn aarch64_and_webassembly_agree_in_every_precision() {
    for core in CORES {
        let program = Program::build(core).unwrap();
        for precision in PRECISIONS {
            let sines = Network { values: Values::Extreme, ..Network::tiny_sine(precision) };
            for network in [Network::tiny(precision), sines] {
                assert_eq!(program.check(&network, 4000, 1).unwrap(), 0, "{network:?} on {core:?}");
            }
        }
        for (name, network) in grid_networks::all_kinds(firmware_core::Precision::W8A16) {
            assert_eq!(program.check(&network, 600, 1).unwrap(), 0, "{name} on {core:?}");
        }
    }
}

#[test]
fn a_damaged_model_is_refused() {
    let artifact = Network::tiny(firmware_core::Precision::W8A16).artifact(1).unwrap();
    let mut bytes = artifact.as_bytes().to_vec();
    bytes[40] ^= 1;
    let damaged = trainer::artifact::export::Artifact::from_bytes(&bytes);
    let program = Program::build(Core::Aarch64).unwrap();
    assert!(program.evaluate(&damaged, &[0.0; 4]).is_err());
}

#[test]
fn counts_repeat_and_fit_the_network() {
    let artifact = Network::tiny(firmware_core::Precision::W8A16).artifact(1).unwrap();
    let macs = artifact.model().unwrap().macs() as u64;
    for core in CORES {
        let program = Program::build(core).unwrap();
        let counts = [(); 2].map(|()| program.instructions(&artifact).unwrap());
        assert_eq!(counts[0], counts[1], "{core:?}");
        // A product takes at least loading two numbers and adding. Features and layers take about the same here.
        assert!((3 * macs..60 * macs).contains(&counts[0]), "{core:?}: {} for {macs} products", counts[0]);
    }
}

/// A loop of two instructions, which is run so many times.
const TURNS: u64 = 1000;

/// A program of Linux that runs the loop and ends.
#[cfg(unix)]
#[test]
fn instructions_of_a_known_program_of_aarch64_are_counted() {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt as _;

    let halves = |halves: &[u16]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<u8>>();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let longs = |longs: &[u64]| longs.iter().flat_map(|long| long.to_le_bytes()).collect::<Vec<u8>>();
    let move_turns = 0xd280_0000 | (TURNS as u32) << 5;
    // mov x0, TURNS; subs x0, x0, 1; b.ne to the instruction before; mov x8, 93 (exit); svc 0.
    let code = words(&[move_turns, 0xf100_0400, 0x54ff_ffe1, 0xd280_0ba8, 0xd400_0001]);
    let headers = 64 + 56;
    let len = headers + code.len() as u64;
    let elf = [
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
        [halves(&[2, 183]), words(&[1]), longs(&[0x40_0000 + headers, 64, 0]), words(&[0])].concat(),
        halves(&[64, 56, 1, 0, 0, 0]),
        [words(&[1, 5]), longs(&[0, 0x40_0000, 0x40_0000, len, len, 0x1_0000])].concat(),
        code,
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop");
    write(&path, elf.concat()).unwrap();
    set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    Program::build(Core::Aarch64).unwrap(); // installs the emulator
    assert_eq!(count::executed(count::logging().arg(&path)).unwrap(), 2 * TURNS + 3);
}

#[test]
fn instructions_of_a_known_module_are_counted() {
    use wasm_encoder::{
        BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
        GlobalType, Instruction, Module, TypeSection, ValType,
    };

    let (mut types, mut functions, mut globals) = (TypeSection::new(), FunctionSection::new(), GlobalSection::new());
    types.ty().function([ValType::I32], []);
    functions.function(0);
    globals.global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(7));
    let mut exports = ExportSection::new();
    exports.export("run", ExportKind::Func, 0).export("original", ExportKind::Global, 0);
    // Five instructions a turn; the one behind the loop is counted too, and those behind a branch are not.
    let mut function = Function::new([]);
    for instruction in [
        Instruction::Loop(BlockType::Empty),
        Instruction::LocalGet(0),
        Instruction::I32Const(1),
        Instruction::I32Sub,
        Instruction::LocalTee(0),
        Instruction::BrIf(0),
        Instruction::End,
        Instruction::Return,
        Instruction::Nop,
        Instruction::End,
    ] {
        function.instruction(&instruction);
    }
    let mut code = CodeSection::new();
    code.function(&function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&globals).section(&exports).section(&code);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.wasm");
    std::fs::write(&path, counting(&module.finish()).unwrap()).unwrap();
    let script = "const bytes = require('fs').readFileSync(process.argv[1]);
        const { run, instructions, original } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports;
        run(Number(process.argv[2]));
        console.log(instructions.value, original.value);";
    Program::build(Core::Wasm32).unwrap(); // installs node
    let printed = process::capture(Command::new("node").args(["-e", script]).arg(&path).arg(TURNS.to_string()));
    assert_eq!(printed.unwrap().trim(), format!("{}n 7", 5 * TURNS + 1));
    assert!(counting(b"\0asm\x01\0\0\0").is_err() && counting(b"no module").is_err());
}

#[test]
fn a_module_that_counts_gives_the_same_bits() {
    let counting = Program::build(Core::Wasm32).unwrap().self_counting().unwrap();
    let network = Network::tiny(firmware_core::Precision::F32);
    assert_eq!(counting.check(&network, 400, 1).unwrap(), 0);
}

//! Modules of WebAssembly that count the instructions they execute.

use std::convert::Infallible;

use anyhow::{Context as _, Result, ensure};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType, Instruction, Module, ValType,
};
use wasmparser::{ExportSectionReader, FunctionBody, GlobalSectionReader, Parser};

/// The name under which a module exports its count, a mutable global of 64 bits.
pub const EXPORT: &str = "instructions";

/// The module with a global that grows by one before each instruction, and else does what the original does.
///
/// `block`, `loop`, `else` and `end` are not counted: they only mark where branches lead to.
///
/// # Errors
///
/// Where the bytes are no module, or one without the sections of globals and of exports, which every module that Rust
/// makes has.
pub fn counting(module: &[u8]) -> Result<Vec<u8>> {
    let (mut counter, mut made) = (Counter::default(), Module::new());
    counter.parse_core_module(&mut made, Parser::new(0), module).context("the module cannot be read")?;
    ensure!(counter.has_globals, "the module has no section of globals");
    ensure!(counter.is_exported, "the module has no section of exports");
    Ok(made.finish())
}

/// Adds the global, exports it, and counts in every function. Sections come in this order.
#[derive(Default)]
struct Counter {
    global: u32,
    has_globals: bool,
    is_exported: bool,
}

impl Reencode for Counter {
    type Error = Infallible;

    /// The module imports no globals, so that their number is the index of the next one.
    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_global_section(self, globals, section)?;
        (self.global, self.has_globals) = (globals.len(), true);
        globals.global(GlobalType { val_type: ValType::I64, mutable: true, shared: false }, &ConstExpr::i64_const(0));
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(EXPORT, ExportKind::Global, self.global);
        self.is_exported = true;
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let instruction = self.parse_instruction(&mut operators)?;
            use Instruction::{Block, Else, End, GlobalGet, GlobalSet, I64Add, I64Const, Loop};
            if !matches!(instruction, Block(_) | Loop(_) | Else | End) {
                for step in [GlobalGet(self.global), I64Const(1), I64Add, GlobalSet(self.global)] {
                    function.instruction(&step);
                }
            }
            function.instruction(&instruction);
        }
        code.function(&function);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_globals_or_exports_is_refused() {
        let refused = |module: Module| counting(&module.finish()).map(drop).map_err(|error| error.to_string());
        let (mut whole, mut no_globals, mut no_exports) = (Module::new(), Module::new(), Module::new());
        whole.section(&GlobalSection::new()).section(&ExportSection::new());
        no_globals.section(&ExportSection::new());
        no_exports.section(&GlobalSection::new());
        assert_eq!(refused(whole), Ok(()));
        assert_eq!(refused(no_globals), Err("the module has no section of globals".to_owned()));
        assert_eq!(refused(no_exports), Err("the module has no section of exports".to_owned()));
    }
}

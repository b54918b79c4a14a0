//! The functions of a program, by its symbols: where each begins, how it is
//! called, and its first byte.

use anyhow::{Context, Result, bail};
use goblin::elf::header::ET_EXEC;
use goblin::elf::section_header::SHF_EXECINSTR;
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC, Sym};
use goblin::elf::{Elf, SectionHeader};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

/// As much as the kernel maps at the first touch of any page of it, if it is in
/// the page cache.
///
/// Source: mm/memory.c, `fault_around_bytes`
const PIECE: u64 = 64 << 10;

/// All functions of a program, by their addresses.
pub(super) struct Functions(BTreeMap<u64, Function>);

/// What begins at one address.
#[derive(Default)]
pub(super) struct Function {
    /// More than one, if the linker found several with the same code, or libc
    /// has an older name for it.
    pub(super) names: BTreeSet<String>,
    pub(super) first_byte: u8,
    size: u64,
}

impl Functions {
    /// Reads the symbols of a program that is at a fixed address.
    ///
    /// # Errors
    /// It is no such program, or it was stripped.
    pub(super) fn read(program: &Path) -> Result<Functions> {
        let name = || program.display().to_string();
        let bytes = fs::read(program).with_context(name)?;
        Functions::of(&bytes).with_context(name)
    }

    fn of(bytes: &[u8]) -> Result<Functions> {
        let elf = Elf::parse(bytes)?;
        if elf.header.e_type != ET_EXEC {
            bail!("it is at no fixed address: type {}", elf.header.e_type);
        }
        let mut all = BTreeMap::new();
        for symbol in elf.syms.iter() {
            let section = elf.section_headers.get(symbol.st_shndx);
            let Some(section) = section.filter(|s| is_function(&symbol, s))
            else {
                continue;
            };
            let name = elf.strtab.get_at(symbol.st_name);
            let first = offset(&symbol, section).and_then(|at| bytes.get(at));
            let function: &mut Function =
                all.entry(symbol.st_value).or_default();
            function.names.extend(name.map(str::to_owned));
            function.first_byte = *first.context("a symbol beyond the end")?;
            function.size = function.size.max(symbol.st_size);
        }
        if all.is_empty() {
            bail!("it has no symbols");
        }
        Ok(Functions(all))
    }

    /// The function that begins at this address.
    pub(super) fn at(&self, address: u64) -> Option<&Function> {
        self.0.get(&address)
    }

    /// All addresses at which one begins.
    pub(super) fn addresses(&self) -> impl Iterator<Item = u64> {
        self.0.keys().copied()
    }

    /// Counts the pieces of the program in which functions of these names are.
    pub(super) fn pieces(&self, names: &BTreeSet<String>) -> usize {
        let named = self.0.iter().filter(|(_, f)| !f.names.is_disjoint(names));
        let pieces: BTreeSet<_> =
            named.flat_map(|(address, f)| pieces(*address, f.size)).collect();
        pieces.len()
    }
}

/// Tells whether code begins at the symbol. An indirect function is one that
/// chooses another at the program's start.
fn is_function(symbol: &Sym, section: &SectionHeader) -> bool {
    let executable = section.sh_flags & u64::from(SHF_EXECINSTR) != 0;
    executable && matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC)
}

/// Where in the file the symbol's first byte is.
fn offset(symbol: &Sym, section: &SectionHeader) -> Option<usize> {
    let inside = symbol.st_value.checked_sub(section.sh_addr)?;
    usize::try_from(section.sh_offset.checked_add(inside)?).ok()
}

/// The pieces in which so many bytes from this address on are.
fn pieces(address: u64, size: u64) -> Range<u64> {
    let last = address + size.max(1) - 1;
    address / PIECE..last / PIECE + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use goblin::elf::section_header::{SHF_ALLOC, SHT_PROGBITS};

    fn symbol(kind: u8) -> Sym {
        let (st_value, st_size) = (0x1010, 4);
        Sym {
            st_name: 1,
            st_info: kind,
            st_other: 0,
            st_shndx: 1,
            st_value,
            st_size,
        }
    }

    fn section(flags: u32) -> SectionHeader {
        SectionHeader {
            sh_type: SHT_PROGBITS,
            sh_flags: u64::from(SHF_ALLOC | flags),
            sh_addr: 0x1000,
            sh_offset: 0x200,
            ..SectionHeader::default()
        }
    }

    #[test]
    fn a_function_is_code_that_a_symbol_calls_so() {
        let code = section(SHF_EXECINSTR);
        assert!(is_function(&symbol(STT_FUNC), &code));
        assert!(is_function(&symbol(STT_GNU_IFUNC), &code));
        assert!(!is_function(&symbol(goblin::elf::sym::STT_OBJECT), &code));
        assert!(!is_function(&symbol(STT_FUNC), &section(0)), "data");
    }

    #[test]
    fn its_first_byte_is_as_deep_in_the_file_s_section_as_in_memory_s() {
        let code = section(SHF_EXECINSTR);
        assert_eq!(offset(&symbol(STT_FUNC), &code), Some(0x210));
        let above = SectionHeader { sh_addr: 0x2000, ..code };
        assert_eq!(offset(&symbol(STT_FUNC), &above), None);
    }

    #[test]
    fn a_function_over_a_border_is_in_two_pieces() {
        assert_eq!(pieces(0x1_fff0, 0x10).count(), 1);
        assert_eq!(pieces(0x1_fff0, 0x11).count(), 2);
        assert_eq!(pieces(0x2_0000, 0).count(), 1, "libc's have no size");
    }

    #[test]
    fn what_is_no_program_at_a_fixed_address_is_refused() {
        assert!(Functions::of(b"#!/bin/sh\n").is_err());
        let ours = std::env::current_exe().unwrap();
        let refused = Functions::read(&ours).err().unwrap();
        let refused = format!("{refused:#}");
        assert!(refused.contains("at no fixed address"), "{refused}");
    }
}

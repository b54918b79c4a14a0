//! What the kernel and ld.so(8) read of an ELF file before its first
//! instruction: the interpreter, the needed libraries and where to look for
//! them. Sections and symbols are not read: loading needs none, and a stripped
//! program is as good as any. The file is only read; ldd(1), for comparison,
//! runs it.

use goblin::container::Ctx;
use goblin::elf::dynamic::{
    DF_1_NODEFLIB, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, Dynamic,
};
use goblin::elf::header::{EI_CLASS, EI_DATA, ELFMAG, ET_DYN, ET_EXEC};
use goblin::elf::program_header::PT_INTERP;
use goblin::elf::{Elf as Goblin, ProgramHeader};
use goblin::error::{Error, Result};
use goblin::strtab::Strtab;
use std::path::PathBuf;

/// An executable or a shared library, as far as loading it goes.
#[derive(Debug)]
pub(crate) struct Elf {
    pub(crate) abi: Abi,
    /// `PT_INTERP`: the program that the kernel starts in place of this one;
    /// none if static.
    pub(crate) interpreter: Option<PathBuf>,
    /// `DT_SONAME`: the name under which others need this library.
    pub(crate) soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub(crate) needed: Vec<String>,
    /// `DT_RPATH`: search path for what this object, and what it loads, needs.
    pub(crate) rpath: Vec<String>,
    /// `DT_RUNPATH`: search path for what this object needs.
    pub(crate) runpath: Vec<String>,
    /// `DF_1_NODEFLIB`: neither the cache nor the default directories are
    /// searched.
    pub(crate) nodeflib: bool,
}

/// What must agree between a program and its libraries; ld.so passes over a
/// candidate with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abi {
    class: u8,
    data: u8,
    pub(crate) machine: u16,
}

impl Elf {
    /// Tells whether a file begins as an ELF file does.
    pub(crate) fn is_magic(bytes: &[u8]) -> bool {
        bytes.starts_with(ELFMAG)
    }

    /// Parses an ELF file that can be loaded: an executable or a shared object.
    ///
    /// # Errors
    /// Damaged headers, or a file that cannot be loaded (object file, core
    /// dump).
    ///
    /// Source: elf(5), ld.so(8)
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let header = Goblin::parse_header(bytes)?;
        if !matches!(header.e_type, ET_EXEC | ET_DYN) {
            return Err(Error::Malformed(
                "an ELF file, but not one that can be loaded".into(),
            ));
        }
        let ctx = Ctx::new(header.container()?, header.endianness()?);
        let offset = usize::try_from(header.e_phoff).unwrap_or(usize::MAX);
        let segments =
            ProgramHeader::parse(bytes, offset, header.e_phnum.into(), ctx)?;
        let abi = Abi {
            class: header.e_ident[EI_CLASS],
            data: header.e_ident[EI_DATA],
            machine: header.e_machine,
        };
        let entries = DynamicStrings::parse(bytes, &segments, ctx)?;
        Ok(Self {
            abi,
            interpreter: interpreter(bytes, &segments)?,
            soname: entries.all(DT_SONAME).pop(),
            needed: entries.all(DT_NEEDED),
            rpath: entries.search_path(DT_RPATH),
            runpath: entries.search_path(DT_RUNPATH),
            nodeflib: entries.flags_1 & DF_1_NODEFLIB != 0,
        })
    }
}

fn interpreter(
    bytes: &[u8],
    segments: &[ProgramHeader],
) -> Result<Option<PathBuf>> {
    let Some(segment) =
        segments.iter().find(|segment| segment.p_type == PT_INTERP)
    else {
        return Ok(None);
    };
    let start = usize::try_from(segment.p_offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(
        usize::try_from(segment.p_filesz).unwrap_or(usize::MAX),
    );
    let text = bytes.get(start..end).and_then(|text| text.strip_suffix(b"\0"));
    let path = text.and_then(|text| std::str::from_utf8(text).ok());
    path.map(|path| Some(path.into())).ok_or_else(|| {
        Error::Malformed(
            "PT_INTERP is not a path that ends in a null byte".into(),
        )
    })
}

/// The entries of the dynamic section whose values are strings.
#[derive(Default)]
struct DynamicStrings {
    entries: Vec<(u64, String)>,
    flags_1: u64,
}

impl DynamicStrings {
    fn parse(
        bytes: &[u8],
        segments: &[ProgramHeader],
        ctx: Ctx,
    ) -> Result<Self> {
        let Some(dynamic) = Dynamic::parse(bytes, segments, ctx)? else {
            return Ok(Self::default());
        };
        let strings =
            Strtab::parse(bytes, dynamic.info.strtab, dynamic.info.strsz, 0)?;
        let entries = dynamic
            .dyns
            .iter()
            .filter(|entry| {
                [DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH]
                    .contains(&entry.d_tag)
            })
            .map(|entry| {
                let offset = usize::try_from(entry.d_val).unwrap_or(usize::MAX);
                let text = strings.get_at(offset).ok_or_else(|| {
                    Error::Malformed(format!(
                        "no string at {offset} of the dynamic section"
                    ))
                })?;
                Ok((entry.d_tag, text.to_owned()))
            })
            .collect::<Result<_>>()?;
        Ok(Self { entries, flags_1: dynamic.info.flags_1 })
    }

    fn all(&self, tag: u64) -> Vec<String> {
        self.entries
            .iter()
            .filter(|(t, _)| *t == tag)
            .map(|(_, text)| text.clone())
            .collect()
    }

    fn search_path(&self, tag: u64) -> Vec<String> {
        self.all(tag)
            .iter()
            .flat_map(|path| path.split(':'))
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_a_dynamic_program_that_needs_libc() {
        let bytes = std::fs::read("/proc/self/exe")
            .expect("a process can read its program");
        let elf = Elf::parse(&bytes).expect("the kernel has loaded it");
        assert!(elf.interpreter.is_some());
        assert!(
            elf.needed.iter().any(|name| name.starts_with("libc.")),
            "{:?}",
            elf.needed
        );
    }

    #[test]
    fn a_truncated_file_is_an_error_at_every_length() {
        let bytes = std::fs::read("/proc/self/exe")
            .expect("a process can read its program");
        for length in (0..1024).step_by(7) {
            assert!(Elf::parse(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn no_damaged_byte_of_the_headers_makes_the_parser_panic() {
        let whole = std::fs::read("/proc/self/exe")
            .expect("a process can read its program");
        for position in 0..1024 {
            let mut bytes = whole[..65536].to_vec();
            bytes[position] = 0xff;
            // Either answer is right: the claim is that there is one.
            let _ = Elf::parse(&bytes);
        }
    }
}

//! `/etc/ld.so.cache`: which file ld.so(8) takes for a library's name. It is
//! read because ld.so reads it (and never ld.so.conf), and a small one, with
//! just the bundle's libraries, is written into the rootfs: so the search
//! inside is the search outside, also for directories that only
//! /etc/ld.so.conf.d names.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Where glibc's ld.so(8) finds its cache, outside and inside.
pub(crate) const PATH: &str = "/etc/ld.so.cache";

/// Written since glibc 2.2 (2000-11); up to 2.31 ldconfig put an older format
/// in front of it.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Magic, two counts, flags, extension offset, and three unused words.
const HEADER: usize = 48;
/// flags, offset of the name, offset of the path, OS version (4 bytes each),
/// hardware capabilities (8).
const ENTRY: usize = 24;

/// The libraries that a cache names, in its order (which ld.so searches by
/// halving).
#[derive(Debug, Default)]
pub(crate) struct LdCache {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Kind of library and ABI, as ldconfig(8) numbers them: kept, not
    /// interpreted.
    flags: [u8; 4],
    os_version: [u8; 4],
    name: String,
    path: PathBuf,
}

impl LdCache {
    /// Reads this machine's cache; a machine without one (musl) has an empty
    /// one.
    ///
    /// # Errors
    /// A cache that is damaged, or of a format before glibc 2.2.
    ///
    /// Source: ldconfig(8), glibc: sysdeps/generic/dl-cache.h
    pub(crate) fn load() -> Result<Self> {
        match std::fs::read(PATH) {
            Ok(bytes) => Self::parse(&bytes).context(PATH),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(error) => Err(super::failed("open", Path::new(PATH))(error)),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let Some(start) =
            bytes.windows(MAGIC.len()).position(|window| window == MAGIC)
        else {
            bail!(
                "no glibc-ld.so.cache1.1 in it\nhint: ldconfig writes it anew"
            );
        };
        let cache = &bytes[start..];
        let count = word(cache, MAGIC.len())?;
        let table = cache.get(HEADER..).unwrap_or_default();
        let mut entries = Vec::new();
        for raw in table.chunks_exact(ENTRY).take(count) {
            // Libraries for newer processors only. Left out: the bundle then
            // runs on every one of its architecture.
            if raw[16..24] != [0; 8] {
                continue;
            }
            entries.push(Entry {
                flags: raw[0..4].try_into().expect("a slice of four"),
                os_version: raw[12..16].try_into().expect("a slice of four"),
                name: string(cache, word(raw, 4)?)?,
                path: string(cache, word(raw, 8)?)?.into(),
            });
        }
        Ok(Self { entries })
    }

    /// Gives the files that the cache has for a name, the likeliest first: one
    /// for each ABI.
    pub(crate) fn lookup(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.entries
            .iter()
            .filter(move |entry| entry.name == name)
            .map(|entry| entry.path.as_path())
    }

    /// Keeps only entries for files that `is_inside` the rootfs.
    pub(crate) fn retain(&mut self, is_inside: impl Fn(&Path) -> bool) {
        self.entries.retain(|entry| is_inside(&entry.path));
    }

    /// Renders the cache as ldconfig(8) would write it; none if it has no
    /// entries.
    pub(crate) fn render(&self) -> Option<Vec<u8>> {
        let mut table = Vec::new();
        let mut strings = Vec::new();
        let text_start = HEADER + self.entries.len() * ENTRY;
        let mut add = |text: &[u8]| {
            let offset = text_start + strings.len();
            strings.extend_from_slice(text);
            strings.push(0);
            offset_bytes(offset)
        };
        for entry in &self.entries {
            table.extend(entry.flags);
            table.extend(add(entry.name.as_bytes()));
            table.extend(add(entry.path.as_os_str().as_encoded_bytes()));
            table.extend(entry.os_version);
            table.extend([0; 8]);
        }
        let mut cache = MAGIC.to_vec();
        cache.extend(offset_bytes(self.entries.len()));
        cache.extend(offset_bytes(strings.len()));
        cache.resize(HEADER, 0); // no flags, no extensions
        cache.extend(table);
        cache.extend(strings);
        (!self.entries.is_empty()).then_some(cache)
    }
}

fn offset_bytes(offset: usize) -> [u8; 4] {
    u32::try_from(offset)
        .expect("a subset of a cache that 32 bits could address")
        .to_ne_bytes()
}

fn word(bytes: &[u8], at: usize) -> Result<usize> {
    let word = bytes
        .get(at..at + 4)
        .context("it ends too early\nhint: ldconfig writes it anew")?;
    Ok(u32::from_ne_bytes(word.try_into().expect("a slice of four")) as usize)
}

fn string(bytes: &[u8], at: usize) -> Result<String> {
    let text =
        bytes.get(at..).and_then(|rest| rest.split(|byte| *byte == 0).next());
    let text = text.context(
        "a string lies outside of it\nhint: ldconfig writes it anew",
    )?;
    Ok(std::str::from_utf8(text)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, path: &str) -> Entry {
        Entry {
            flags: [3, 3, 0, 0],
            os_version: [0; 4],
            name: name.into(),
            path: path.into(),
        }
    }

    #[test]
    fn what_is_rendered_is_parsed_back() {
        let written = LdCache {
            entries: vec![
                entry("libz.so.1", "/lib/libz.so.1"),
                entry("liba.so", "/a"),
            ],
        };
        let bytes = written.render().expect("it has entries");
        let read = LdCache::parse(&bytes).expect("it is whole");
        assert_eq!(
            read.lookup("liba.so").collect::<Vec<_>>(),
            [Path::new("/a")]
        );
        assert_eq!(read.lookup("libz.so.1").count(), 1);
        assert_eq!(read.lookup("libz").count(), 0);
    }

    #[test]
    fn a_library_for_newer_processors_only_is_passed_over() {
        let cache = LdCache { entries: vec![entry("liba.so", "/a")] };
        let mut bytes = cache.render().expect("it has an entry");
        bytes[HEADER + 16] = 1;
        let read = LdCache::parse(&bytes).expect("it is whole");
        assert_eq!(read.lookup("liba.so").count(), 0);
    }

    #[test]
    fn an_empty_cache_is_not_written() {
        assert!(LdCache::default().render().is_none());
    }

    #[test]
    fn a_truncated_cache_is_an_error_and_never_a_panic() {
        let bytes = LdCache { entries: vec![entry("liba.so", "/a")] }
            .render()
            .expect("an entry");
        for length in 0..bytes.len() - 10 {
            let parsed = LdCache::parse(&bytes[..length]);
            assert!(
                parsed.map_or(true, |cache| cache.entries.is_empty()),
                "{length}"
            );
        }
    }
}

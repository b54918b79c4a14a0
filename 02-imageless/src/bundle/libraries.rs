//! Finds the shared libraries of a program as ld.so(8) will, breadth first,
//! without running either.
//!
//! Not here: LD_LIBRARY_PATH (not set inside), `$LIB` and `$PLATFORM`,
//! DT_AUXILIARY, copies for newer processors (glibc-hwcaps), and libraries that
//! a program opens with dlopen(3) while it runs (NSS, gconv, plug-ins): no
//! header names those; `imageless bundle --copy` brings them.

use super::contents::Placed;
use super::elf::{Abi, Elf};
use super::ld_cache::{self, LdCache};
use anyhow::{Context, Result, anyhow};
use goblin::elf::header::{
    EM_386, EM_AARCH64, EM_ARM, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64,
};
use std::path::{Path, PathBuf};

/// Debian's names for architectures, in the directories that its ld.so searches
/// first.
const MULTIARCH: [(u16, &str); 7] = [
    (EM_X86_64, "x86_64-linux-gnu"),
    (EM_AARCH64, "aarch64-linux-gnu"),
    (EM_RISCV, "riscv64-linux-gnu"),
    (EM_ARM, "arm-linux-gnueabihf"),
    (EM_386, "i386-linux-gnu"),
    (EM_PPC64, "powerpc64le-linux-gnu"),
    (EM_S390, "s390x-linux-gnu"),
];

/// Where every ld.so looks last. One that does not know lib64 has no such
/// libraries either.
const DEFAULT_DIRECTORIES: [&str; 4] =
    ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Lists the interpreter and all libraries that a program or library needs,
/// itself not included.
///
/// # Errors
/// A library that is nowhere to be found, or that cannot be read.
///
/// Source: ld.so(8), elf(5)
// ANCHOR: closure
pub(crate) fn closure(
    program: &Placed,
    cache: &LdCache,
) -> Result<Vec<Placed>> {
    let program = Object::first(behind_links(program)?)?;
    let interpreter = program.elf.interpreter.clone();
    let mut objects = vec![program];
    // The kernel maps it beside the program: it is there before any search.
    if let Some(path) = interpreter {
        objects.push(Object::first(Placed::same(path))?);
    }
    let mut current = 0;
    while let Some(object) = objects.get(current) {
        for name in object.elf.needed.clone() {
            if !objects.iter().any(|object| object.answers_to(&name)) {
                let (at, elf) = find(&name, &objects, current, cache)?;
                objects.push(Object {
                    at,
                    elf,
                    needed_as: Some(name),
                    loader: Some(current),
                });
            }
        }
        current += 1;
    }
    Ok(objects.into_iter().skip(1).map(|object| object.at).collect())
}
// ANCHOR_END: closure

/// One file of the process image that ld.so would build.
struct Object {
    at: Placed,
    elf: Elf,
    needed_as: Option<String>,
    /// Index of the object that needed it first.
    loader: Option<usize>,
}

impl Object {
    /// One that no other object needs by name.
    fn first(at: Placed) -> Result<Self> {
        let elf = read_elf(&at.host)?;
        Ok(Self { at, elf, needed_as: None, loader: None })
    }

    fn answers_to(&self, name: &str) -> bool {
        self.needed_as.as_deref() == Some(name)
            || self.elf.soname.as_deref() == Some(name)
    }

    /// Turns a search path into directories, as they are here and as they will
    /// be inside.
    fn expand<'a>(
        &'a self,
        search_path: &'a [String],
    ) -> impl Iterator<Item = Placed> + 'a {
        let at = |origin: &Path, entry: &str| {
            let origin =
                origin.parent().unwrap_or(Path::new("/")).to_string_lossy();
            PathBuf::from(
                entry.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin),
            )
        };
        search_path.iter().map(move |entry| Placed {
            host: at(&self.at.host, entry),
            inside: at(&self.at.inside, entry),
        })
    }
}

fn find(
    name: &str,
    objects: &[Object],
    needer: usize,
    cache: &LdCache,
) -> Result<(Placed, Elf)> {
    let abi = objects[needer].elf.abi;
    for place in candidates(name, objects, needer, cache) {
        if let Some(elf) = loadable(&place.host, abi)? {
            return Ok((place, elf));
        }
    }
    Err(not_found(name, objects, needer))
}

fn not_found(name: &str, objects: &[Object], needer: usize) -> anyhow::Error {
    let needer = &objects[needer];
    let hint = if std::env::var_os("LD_LIBRARY_PATH").is_some() {
        "LD_LIBRARY_PATH is not searched: it is not set in the container"
    } else {
        "install it, or run ldconfig if it is new"
    };
    let places: String = search_directories(objects, needer)
        .map(|place| format!("{}, ", place.host.display()))
        .collect();
    anyhow!(
        "{} needs {name}, which is not in {places}{} or the default \
         directories\nhint: {hint}",
        needer.at.host.display(),
        ld_cache::PATH,
    )
}

/// Lists every path that ld.so would try for a name, in its order.
fn candidates(
    name: &str,
    objects: &[Object],
    needer: usize,
    cache: &LdCache,
) -> Vec<Placed> {
    if name.contains('/') {
        return vec![Placed::same(Path::new("/").join(name))];
    }
    let needer = &objects[needer];
    let mut places: Vec<_> = search_directories(objects, needer)
        .map(|directory| directory.join(name))
        .collect();
    if !needer.elf.nodeflib {
        places.extend(
            cache.lookup(name).map(|path| Placed::same(path.to_owned())),
        );
        let defaults = default_directories(needer.elf.abi);
        places.extend(
            defaults.iter().map(|directory| Placed::same(directory.join(name))),
        );
    }
    places
}

/// DT_RPATH of the needer and of all that loaded it, unless it has a
/// DT_RUNPATH, which counts only for itself.
fn search_directories<'a>(
    objects: &'a [Object],
    needer: &'a Object,
) -> impl Iterator<Item = Placed> + 'a {
    let mut next = needer.elf.runpath.is_empty().then_some(needer);
    let with_rpath = std::iter::from_fn(move || {
        let object = next?;
        next = object.loader.and_then(|loader| objects.get(loader));
        Some(object)
    });
    with_rpath
        .filter(|object| object.elf.runpath.is_empty())
        .flat_map(|object| object.expand(&object.elf.rpath))
        .chain(needer.expand(&needer.elf.runpath))
        // An empty entry means the working directory, which a bundle does not
        // know.
        .filter(|place| place.host.is_absolute())
}

fn default_directories(abi: Abi) -> Vec<PathBuf> {
    let multiarch =
        MULTIARCH.iter().filter(|(machine, _)| *machine == abi.machine);
    let multiarch = multiarch
        .flat_map(|(_, triple)| ["/lib", "/usr/lib"].map(|d| (d, *triple)));
    multiarch
        .map(|(directory, triple)| Path::new(directory).join(triple))
        .chain(DEFAULT_DIRECTORIES.map(PathBuf::from))
        .collect()
}

/// Reads a candidate; none if there is no such file, or one of another ABI,
/// over which ld.so passes too.
fn loadable(path: &Path, abi: Abi) -> Result<Option<Elf>> {
    if !path.is_file() {
        return Ok(None);
    }
    let elf = read_elf(path)?;
    Ok((elf.abi == abi).then_some(elf))
}

fn read_elf(path: &Path) -> Result<Elf> {
    Elf::parse(&super::read(path)?).with_context(|| path.display().to_string())
}

/// Moves a program's `$ORIGIN` to where it really is, as the kernel tells it to
/// ld.so; for libraries, ld.so takes the path under which it found them.
fn behind_links(program: &Placed) -> Result<Placed> {
    let real = program.host.canonicalize();
    let real = real.map_err(super::failed("realpath", &program.host))?;
    let keeps_path = program.host == program.inside;
    let inside = if keeps_path { &real } else { &program.inside }.clone();
    Ok(Placed { host: real, inside })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any program, with other search paths.
    fn object(rpath: &[&str], runpath: &[&str]) -> Object {
        let mut elf = read_elf(Path::new("/proc/self/exe")).expect("it runs");
        elf.rpath = rpath.iter().map(|entry| (*entry).to_owned()).collect();
        elf.runpath = runpath.iter().map(|entry| (*entry).to_owned()).collect();
        let (host, inside) = ("/host/bin/m".into(), "/m".into());
        let at = Placed { host, inside };
        Object { at, elf, needed_as: None, loader: None }
    }

    fn searched(objects: &[Object]) -> Vec<String> {
        let last = objects.last().expect("there is one");
        search_directories(objects, last)
            .map(|place| place.host.display().to_string())
            .collect()
    }

    #[test]
    fn the_origin_is_here_and_inside_the_directory_of_the_object() {
        let object = object(&["${ORIGIN}/a", "$ORIGIN/../b"], &[]);
        let places: Vec<_> = object.expand(&object.elf.rpath).collect();
        assert_eq!(places[0].host, Path::new("/host/bin/a"));
        assert_eq!(places[1].host, Path::new("/host/bin/../b"));
        assert_eq!(places[1].inside, Path::new("//../b"));
    }

    #[test]
    fn an_rpath_beside_a_runpath_does_not_count() {
        assert_eq!(searched(&[object(&["/old"], &["/new"])]), ["/new"]);
        let loader = object(&["/old"], &["/new"]);
        let library = Object { loader: Some(0), ..object(&["/own"], &[]) };
        assert_eq!(searched(&[loader, library]), ["/own"]);
    }

    #[test]
    fn a_library_answers_to_its_soname_whatever_its_file_is_called() {
        let mut object = object(&[], &[]);
        object.needed_as = Some("alias.so".into());
        object.elf.soname = Some("libg.so.1".into());
        assert!(object.answers_to("alias.so"));
        assert!(object.answers_to("libg.so.1"));
        assert!(!object.answers_to("m"));
    }

    #[test]
    fn the_working_directory_is_not_searched() {
        assert_eq!(searched(&[object(&["", ".", "lib", "/a"], &[])]), ["/a"]);
    }

    #[test]
    fn nodeflib_leaves_only_the_objects_own_directories() {
        let mut object = object(&["/a"], &[]);
        object.elf.nodeflib = true;
        let places = candidates("x.so", &[object], 0, &LdCache::default());
        assert_eq!(places.len(), 1);
    }
}

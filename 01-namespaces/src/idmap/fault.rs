//! What is wrong with a map. The kernel says EINVAL to all of it.

use super::IdMapping;

/// The kernel's `UID_GID_MAP_MAX_EXTENTS`, "Linux 4.15 (2018-01)"; 5 before.
const MOST_LINES: usize = 340;

/// Finds the first thing that the kernel would refuse, in words.
///
/// Source: user_namespaces(7), "Defining user and group ID mappings"
pub fn fault(map: &[IdMapping]) -> Option<String> {
    if map.len() > MOST_LINES {
        return Some(format!("{} lines, at most {MOST_LINES}", map.len()));
    }
    map.iter().enumerate().find_map(|(at, mapping)| {
        impossible(mapping)
            .or_else(|| map[..at].iter().find_map(|m| collision(m, mapping)))
    })
}

fn impossible(mapping: &IdMapping) -> Option<String> {
    if mapping.count == 0 {
        return Some(format!("\"{mapping}\" maps no id"));
    }
    // The last id, 4294967295, means "none" to system calls.
    let fits = |first: u32| first.checked_add(mapping.count).is_some();
    let fits = fits(mapping.inside) && fits(mapping.outside);
    (!fits).then(|| format!("\"{mapping}\" goes beyond the id 4294967294"))
}

fn collision(one: &IdMapping, other: &IdMapping) -> Option<String> {
    let meet = |first: fn(&IdMapping) -> u32| {
        first(one) < first(other) + other.count
            && first(other) < first(one) + one.count
    };
    let side = match (meet(|m| m.inside), meet(|m| m.outside)) {
        (true, _) => "inside",
        (false, true) => "outside",
        (false, false) => return None,
    };
    Some(format!("\"{one}\" and \"{other}\" overlap {side}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[[u32; 3]]) -> String {
        let mapping = |&[inside, outside, count]: &[u32; 3]| IdMapping {
            inside,
            outside,
            count,
        };
        let map: Vec<_> = rows.iter().map(mapping).collect();
        fault(&map).unwrap_or_default()
    }

    #[test]
    fn a_sound_map_has_no_fault() {
        assert_eq!(found(&[[0, 1000, 1], [1, 100_000, 65_536]]), "");
        assert_eq!(found(&[[0, 0, u32::MAX]]), "");
    }

    #[test]
    fn overlaps_are_named_by_side() {
        let inside = found(&[[0, 1000, 2], [1, 100_000, 9]]);
        assert_eq!(inside, r#""0 1000 2" and "1 100000 9" overlap inside"#);
        let outside = found(&[[0, 7, 1], [1, 5, 3]]);
        assert_eq!(outside, r#""0 7 1" and "1 5 3" overlap outside"#);
    }

    #[test]
    fn ranges_of_nothing_or_beyond_the_last_id_are_named() {
        assert_eq!(found(&[[0, 5, 0]]), r#""0 5 0" maps no id"#);
        let text = found(&[[0, u32::MAX, 1]]);
        assert!(text.contains("beyond the id 4294967294"), "{text}");
    }

    #[test]
    fn too_many_lines_are_counted() {
        let rows: Vec<_> = (0..341).map(|n| [n, n, 1]).collect();
        assert_eq!(found(&rows), "341 lines, at most 340");
    }
}

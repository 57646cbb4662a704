//! Picking the versions of each family that a pattern means.

use super::Candidate;
use super::pattern::Versions;
use crate::name::push_version;

/// Reduces a sorted list (`reference/devices.md` section 6.4). Directories have no versions; they
/// stay unless one version is asked for.
///
/// A plain file that is a link to a listed version is never shown. One that is
/// not is shown as the version that it counts as: 1 if it is alone, else the
/// one after the highest.
pub(super) fn trim(files: Vec<Candidate>, versions: Versions) -> Vec<Candidate> {
    let mut kept = Vec::with_capacity(files.len());
    let mut files = files.into_iter().peekable();
    while let Some(first) = files.next() {
        if first.is_directory {
            if !matches!(versions, Versions::Exactly(_)) {
                kept.push(first);
            }
            continue;
        }
        let mut family = vec![first];
        while let Some(member) =
            files.next_if(|next| !next.is_directory && next.family == family[0].family)
        {
            family.push(member);
        }
        let mut members = as_versions(family);
        match versions {
            Versions::All | Versions::Plain => {}
            Versions::Highest => members.truncate(1),
            Versions::Exactly(version) => members.retain(|member| member.version == version),
        }
        kept.append(&mut members);
    }
    kept
}

/// Gives the plain file of a sorted family its version, or drops it.
fn as_versions(mut family: Vec<Candidate>) -> Vec<Candidate> {
    let numbered = family.partition_point(|member| member.version == 0);
    let numbered = family.split_off(numbered);
    let next = numbered.first().map_or(1, |highest| highest.version + 1);
    // Names that differ in case only can give a family two plain files; both
    // are shown, each under its own case.
    let mut members: Vec<Candidate> = family
        .into_iter()
        .filter(|plain| {
            numbered
                .iter()
                .all(|member| member.identity != plain.identity)
        })
        .map(|mut plain| {
            plain.version = next;
            push_version(&mut plain.listed.name, Some(next));
            plain
        })
        .collect();
    members.extend(numbered);
    members
}

//! Whose a folder or a link is: anp writes nowhere that another user could have prepared for it.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::{Group, User};

/// Refuses a folder that another user owns, or that other users may write. One that does not exist
/// is fine. Root may do everything anyway, so a folder of root's is fine too, and so is one that
/// the group of this process may write: systems that give each user a group of their own have many
/// such folders, and volumes of Kubernetes are mounted so.
///
/// # Errors
/// What is wrong, as half a sentence whose subject is the folder.
pub fn check(folder: &Path) -> Result<(), String> {
    let own = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    if let Ok(link) = folder.symlink_metadata()
        && link.is_symlink()
        && !is_trusted(link.uid())
    {
        return Err(format!("is a link that belongs to user {}", link.uid()));
    }
    // What cannot be looked at cannot be written either: that failure says more.
    let Ok(found) = folder.metadata() else {
        return Ok(());
    };
    if !is_trusted(found.uid()) {
        return Err(format!("belongs to user {}, not to {own}", found.uid()));
    }
    if found.mode() & 0o002 != 0 {
        return Err("may be written by every user".to_owned());
    }
    if found.mode() & 0o020 != 0 && found.gid() != group {
        let gid = found.gid();
        return Err(format!(
            "may be written by the group {gid}, not only by this user's {group}"
        ));
    }
    Ok(())
}

/// ` (sudo -u USER anp …)`, for the end of an advice: with the user who may use `path`. Empty where that
/// is root, this user, or nobody with a name.
///
/// A path of root's is meant for the user whose name its group has, as packages install settings.
#[must_use]
pub fn sudo_tip(path: &Path) -> String {
    let found = path.ancestors().find_map(|at| at.metadata().ok());
    let name = found.and_then(|found| name_of_user(&found));
    name.map_or_else(String::new, |name| format!(" (sudo -u {name} anp …)"))
}

fn name_of_user(found: &Metadata) -> Option<String> {
    let user = match found.uid() {
        0 => User::from_name(&Group::from_gid(found.gid().into()).ok()??.name),
        uid => User::from_uid(uid.into()),
    };
    let user = user.ok()??;
    let is_other = !user.uid.is_root() && user.uid != nix::unistd::geteuid();
    is_other.then_some(user.name)
}

/// Refuses a path that leads over a link of another user than this one or root: in a folder that
/// everybody may write, any user can make one. The links that a link leads to count as well.
///
/// # Errors
/// Whose it is, or that there are too many.
pub fn check_links(path: &Path) -> io::Result<()> {
    let mut left = MOST_LINKS;
    check_each(path, path, &mut left)
}

/// So many links the systems follow.
const MOST_LINKS: usize = 40;

fn check_each(named: &Path, path: &Path, left: &mut usize) -> io::Result<()> {
    let mut at = PathBuf::new();
    for part in path.components() {
        at.push(part);
        let Ok(link) = at.symlink_metadata() else {
            return Ok(());
        };
        if !link.is_symlink() {
            continue;
        }
        if !is_trusted(link.uid()) {
            let (owner, shown) = (link.uid(), at.display());
            return Err(io::Error::other(if at == named {
                format!("it is a link that belongs to user {owner}")
            } else {
                format!("its path leads over {shown}, a link that belongs to user {owner}")
            }));
        }
        *left = left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("too many links"))?;
        let target = at.read_link()?;
        let target = at
            .parent()
            .map_or(target.clone(), |folder| folder.join(target));
        check_each(named, &target, left)?;
        match at.canonicalize() {
            Ok(real) => at = real,
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

fn is_trusted(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

    use super::{check, check_links, sudo_tip};

    #[test]
    fn the_user_who_may_use_a_path_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs/last");
        assert_eq!(sudo_tip(&path), "", "this user's own");
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(folder.path(), Some(65534), None).unwrap();
            assert_eq!(sudo_tip(&path), " (sudo -u nobody anp …)");
        }
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(check(&path.join("nothing")), Ok(()));
        for (mode, is_fine) in [(0o700, true), (0o755, true), (0o775, true), (0o777, false)] {
            set_permissions(path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(check(path).is_ok(), is_fine, "{mode:o}");
        }
        set_permissions(path, Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(check(path).unwrap_err(), "may be written by every user");
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (own, link) = (folder.path().join("own"), folder.path().join("link"));
        std::fs::create_dir(&own).unwrap();
        symlink(&own, &link).unwrap();
        assert!(check(&link).is_ok() && check_links(&link).is_ok());
        if own.metadata().unwrap().uid() != 0 {
            // Only root gives folders away.
            assert!(chown(&own, Some(65534), None).is_err());
            return;
        }
        std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
        assert_eq!(
            check(&link).unwrap_err(),
            "is a link that belongs to user 65534"
        );
        let error = check_links(&link).unwrap_err();
        assert_eq!(error.to_string(), "it is a link that belongs to user 65534");
        // A link of one's own that leads to that one, and a file in the folder that it leads to.
        let chain = folder.path().join("chain");
        symlink(&link, &chain).unwrap();
        for path in [chain, link.join("file")] {
            let error = check_links(&path).unwrap_err().to_string();
            assert!(error.starts_with("its path leads over "), "{error}");
        }
        set_permissions(&own, Permissions::from_mode(0o770)).unwrap();
        chown(&own, None, Some(65534)).unwrap();
        assert!(
            check(&own)
                .unwrap_err()
                .starts_with("may be written by the group 65534")
        );
        chown(&own, Some(65534), None).unwrap();
        assert_eq!(check(&own).unwrap_err(), "belongs to user 65534, not to 0");
    }
}

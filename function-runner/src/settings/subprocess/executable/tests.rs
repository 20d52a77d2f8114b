//! Files that cannot be executed.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Flaw;

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What is said of a file with `content`, without the folder.
fn said(content: impl AsRef<[u8]>) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "crlf", "#!/bin/sh\r\n");
    write(folder.path(), "good", "#!/bin/sh\n");
    fs::write(folder.path().join("plain"), "#!/bin/sh\n").unwrap();
    let file = write(folder.path(), "bootstrap", content);
    let flaw = Flaw::of(&file, folder.path(), PATH)?;
    Some(flaw.to_string().replace(&format!("{}/", folder.path().display()), ""))
}

#[test]
fn what_can_be_executed_has_no_flaw() {
    for content in [
        "#!/bin/sh\n",
        "#! /bin/sh -e\nexit\r\n",
        "#!good\n",
        "#!/usr/bin/env sh\n",
        "#!/usr/bin/env -S A=b sh -e\n",
        "#!/usr/bin/env /bin/sh\n",
        // Runs, or what happens is not known.
        "#!/usr/bin/env -S -u FOO sh\n",
        "#!/usr/bin/env -S -i sh\n",
        "#!/usr/bin/env -S --unset FOO sh\n",
        "#!/usr/bin/env -S -C /tmp sh\n",
        "#!/usr/bin/env -S \"sh\" -e\n",
        "#!/usr/bin/env -S A=\"b c\" sh\n",
        "#!/usr/bin/env -S ${SHELL} -e\n",
        "#!/usr/bin/env -S PATH=/opt/bin no-such\n",
        "#!/usr/bin/env -Ssh -e\n",
        "#!/usr/bin/env -S -- sh\n",
        "#!/usr/bin/env  sh \t\n",
        "#!/usr/bin/env -v\n",
        "#!/usr/bin/env A=b sh\n",
        "#!/usr/bin/env\n",
        // The shell runs it.
        "echo hello\n",
    ] {
        assert_eq!(said(content), None, "{content}");
    }
    assert_eq!(said(fs::read(env::current_exe().unwrap()).unwrap()), None);
}

#[test]
fn a_script_without_its_interpreter_has_the_reason() {
    let first = "names the interpreter";
    for (content, expected) in [
        ("", "is empty".to_owned()),
        ("#!/no/such\n", format!("{first} /no/such in its first line, which is not there")),
        ("#!plain\n", format!("{first} plain in its first line, which is not executable")),
        ("#!crlf\n", format!("{first} crlf in its first line, which has the line ends of Windows")),
        ("\u{feff}#!/bin/sh\n", "begins with a byte order mark".to_owned()),
        ("#!\nexit\n", "names no interpreter behind #!".to_owned()),
        ("#! \t\r\n", "names no interpreter behind #!".to_owned()),
        ("#!", "names no interpreter behind #!".to_owned()),
        ("#!/bin/sh\r\nexit\r\n", "has the line ends of Windows (CRLF)".to_owned()),
        ("#!/usr/bin/env sh\r\n", "has the line ends of Windows (CRLF)".to_owned()),
        (
            "#!/usr/bin/env no-such\n",
            format!("names no-such in its first line, which is not in the folders {PATH}"),
        ),
        (
            "#!/usr/bin/env -S A=b no-such -x\n",
            format!("names no-such in its first line, which is not in the folders {PATH}"),
        ),
        (
            "#!/usr/bin/env sh -e\n",
            "has \"sh -e\" after /usr/bin/env in its first line, which is taken for the name of one \
             program; use #!/usr/bin/env -S sh -e"
                .to_owned(),
        ),
    ] {
        let said = said(content).unwrap();
        assert!(said.starts_with(&expected), "{content:?}: {said}");
    }
}

#[test]
fn a_program_for_another_processor_or_system_has_the_reason() {
    let own = fs::read(env::current_exe().unwrap()).unwrap();
    let mut other = own.clone();
    // A processor that no machine of today has.
    other[18..20].copy_from_slice(&[8, 0]);
    assert_eq!(
        said(other).unwrap(),
        "is a program for other processors; build it for this machine"
    );
    let loader = b"/lib64/ld-linux";
    let Some(at) = own.windows(loader.len()).position(|bytes| bytes == loader) else { return };
    let mut musl = own;
    musl[at..at + loader.len()].copy_from_slice(b"/lib64/no-linux");
    let said = said(musl).unwrap();
    assert!(said.starts_with("needs the loader /lib64/no-linux"), "{said}");
}

#[test]
fn a_broken_program_is_no_panic() {
    let own = fs::read(env::current_exe().unwrap()).unwrap();
    for length in (0..128).map(|length| 4 + length) {
        said(&own[..length]);
    }
    let mut wild = own[..4096].to_vec();
    wild[32..64].fill(0xff);
    said(wild);
}
